#!/bin/sh
# run-foo [--root DIR]: prepares this host for foo without destroying anything, then becomes it in the foreground. If the
# environment is not sane: the reason on stdout, a pause of 5 seconds ($RECIPE_PAUSE), exit code 100. It may be killed at
# any instant. Written by recipe; edit the recipe instead.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
service=foo

insane() { # REASON
	printf 'run-%s: cannot start %s: %s\n' "$service" "$service" "$(printf '%s\n' "$1" | awk 'NR > 1 { printf "; " } { printf "%s", $0 }')"
	sleep "${RECIPE_PAUSE:-5}" 2>/dev/null || sleep 5
	exit 100
}

fail() { # REASON why $doing cannot be computed
	insane "$doing: $1$remedy"
}
remedy=

try() { # WHAT COMMAND...: insane, with the last words that the command says, unless it succeeds
	what=$1
	shift
	said=$("$@" 2>&1) || insane "$what: ${said##*: }"
}

number() { # FILE NAME FIELD: prints a field of the line of that name
	awk -F: -v name="$2" -v field="$3" '
		$1 == name { print $field; found = 1; exit }
		END { exit !found }' "$1"
}

setpriv=''
find_setpriv() { # that of util-linux: busybox's cannot change users
	for setpriv in /usr/bin/setpriv /bin/setpriv; do
		[ ! -x "$setpriv" ] || return 0
	done
	insane 'there is no setpriv on this host: install util-linux'
}

account='' account_uid='' account_gid='' account_groups=--init-groups
account() { # USER [GROUP]: root becomes the user; nobody else can
	[ "$(id -u)" = 0 ] || return 0
	account=$1
	account_uid=$(number /etc/passwd "$1" 3) || insane "there is no user \"$1\" on this host"
	if [ -z "${2-}" ]; then
		account_gid=$(number /etc/passwd "$1" 4)
	else
		account_gid=$(number /etc/group "$2" 3) || insane "there is no group \"$2\" on this host"
	fi
	find_setpriv
}

more_groups() { # GROUP...: besides those that the host gives the account
	[ -n "$account" ] || return 0
	for group in "$@"; do
		number /etc/group "$group" 3 >/dev/null || insane "there is no group \"$group\" on this host"
	done
	account_groups=--groups=$({
		number /etc/passwd "$account" 4
		awk -F: -v user="$account" '("," $4 ",") ~ ("," user ",") { print $3 }' /etc/group
		for group in "$@"; do number /etc/group "$group" 3; done
	} | awk '!seen[$1]++ { printf "%s%s", comma, $1; comma = "," }')
}

capability() { # NAME NUMBER
	while read -r key set; do
		if [ "$key" = CapBnd: ] && [ $((0x$set >> $2 & 1)) = 1 ]; then return; fi
	done </proc/self/status
	insane "the capability $1 cannot be kept: who starts the service does not have it"
}

# shellcheck disable=SC3045
bound() { # OPTION BLOCK BLOCKS UNIT: both the soft limit and the hard one. For processes dash has -p.
	if ulimit "-$1" "$3" 2>/dev/null || { [ "$1" = u ] && ulimit -p "$3" 2>/dev/null; }; then return; fi
	hard=$(ulimit "-H$1" 2>/dev/null || ulimit -Hp)
	case $hard in
	unlimited) ;;
	*) hard=$((hard * $2)) ;;
	esac
	insane "the limit of $(($3 * $2)) $4 cannot be set: the hard limit is $hard"
}

quoted() { # TEXT
	printf '"%s"' "$(printf %s "$1" | sed "s/[\\\\\"]/\\\\&/g; s/$tab/\\\\t/g")"
}
tab=$(printf '\t')

too_large() { # DIGITS LAST: beyond 64 bits, whose greatest number ends in LAST
	if [ ${#1} -ne 19 ]; then
		[ ${#1} -gt 19 ]
		return
	fi
	head=${1%?}
	[ "$head" -gt 922337203685477580 ] || { [ "$head" -eq 922337203685477580 ] && [ "${1#"$head"}" -gt "$2" ]; }
}

whole() { # TEXT
	value=$1 digits=${1#-} last=7
	if [ "$digits" != "$1" ]; then last=8; fi
	case $digits in
	'' | *[!0-9]* | 0?*) ;;
	*) [ "$1" = -0 ] || too_large "$digits" "$last" || return 0 ;;
	esac
	why="$(quoted "$1") is not a whole number of 64 bits"
}

one_of() { # TEXT ACCEPTED CHOICE...
	value=$1 accepted=$2
	shift 2
	for choice in "$@"; do
		[ "$value" != "$choice" ] || return 0
	done
	why="$(quoted "$value") is not one of: $accepted"
}

within() { # NUMBER LOW HIGH ACCEPTED SUFFIX [FORMAT]
	if [ -n "$why" ] || { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }; then return 0; fi
	value=$1$5
	case $value in
	'1 bytes' | '1 elements') value=${value%s} ;;
	esac
	if [ $# -gt 5 ]; then "$6" "$1"; fi
	why="$value is out of range: $4"
}

no_flag() { # NAME ACCEPTED FLAG...
	name=$1 why="no such flag; there are: $2"
	shift 2
	why=$why$(printf '%s\n' "$name" "$@" | awk '
		NR == 1 { a = tolower($0); least = int(length(a) / 2) + 1; next }
		{ # Levenshtein, one row
			b = tolower($0)
			for (j = 0; j <= length(b); j++) row[j] = j
			for (i = 1; i <= length(a); i++) {
				diagonal = row[0]
				row[0] = i
				for (j = 1; j <= length(b); j++) {
					cost = diagonal
					diagonal = row[j]
					if (substr(a, i, 1) != substr(b, j, 1)) {
						if (row[j] < cost) cost = row[j]
						if (row[j - 1] < cost) cost = row[j - 1]
						cost++
					}
					row[j] = cost
				}
			}
			if (row[length(b)] < least) { least = row[length(b)]; best = $0 }
		}
		END { if (best != "") printf " (did you mean \"%s\"?)", best }')
}

read_flags() { # FILE of name=value lines, read strictly
	if [ ! -e "$1" ]; then
		if [ ! -d "${1%/*}" ] || [ -x "${1%/*}" ]; then return 0; fi # else nobody can tell
	fi
	[ -r "$1" ] || insane "$1: cannot be read"
	[ -f "$1" ] || insane "$1: is not a regular file"
	[ "$(wc -c <"$1")" -le 1048576 ] || insane "$1: is larger than 1MiB"
	faults=$newline$(bad_bytes "$1")
	lines=${faults##* } number=0 problems=
	while [ "$number" -lt "$lines" ]; do
		number=$((number + 1))
		IFS= read -r line
		why=${faults#*"$newline$number:"} # or all of it, from the first line end on
		why=${why%%"$newline"*}
		if [ -z "$why" ]; then
			case $line in
			'#'*) ;;
			[" $tab"]*[!" $tab"]*) why='white space before the name: write name=value from the start of the line' ;;
			*=*) set_flag "${line%%=*}" "${line#*=}" ;;
			*[!" $tab"]*) why="no '=': write name=value" ;;
			esac
		fi
		if [ -n "$why" ]; then problems="$problems${problems:+; }$1:$number: $why"; fi
	done <"$1"
	[ -z "$problems" ] || insane "$problems"
}

bad_bytes() { # FILE: prints LINE:WHY for each line that holds a byte with no place there, then the number of lines
	od -An -v -tu1 "$1" | awk '
		function fault(why) { if (said != line) print line ":" why; said = line }
		BEGIN { line = 1 }
		{ for (i = 1; i <= NF; i++) byte($i + 0) }
		function byte(b) {
			if (cr) fault(b == 10 ? unix : "a control character")
			cr = 0
			if (more && b >= low && b <= high) { size++; more--; low = 128; high = 191; return }
			if (more) fault("bytes that are not UTF-8")
			more = 0
			if (b == 10) {
				if (size > 16384) fault(long)
				size = 0
				line++
				return
			}
			size++
			if (b == 13) cr = 1
			else if (b == 0) fault("a NUL byte")
			else if (b < 32 && b != 9 || b == 127) fault("a control character")
			else if (b > 127) {
				more = b < 194 || b > 244 ? 0 : b < 224 ? 1 : b < 240 ? 2 : 3
				if (!more) fault("bytes that are not UTF-8")
				low = b == 224 ? 160 : b == 240 ? 144 : 128
				high = b == 237 ? 159 : b == 244 ? 143 : 191
			}
		}
		BEGIN { long = "a line of more than 16384 bytes" }
		BEGIN { unix = "a carriage return at the end: write the file with Unix line ends" }
		END {
			if (cr) fault(unix)
			if (more) fault("bytes that are not UTF-8")
			if (size > 16384) fault(long)
			print "lines: " line
		}'
}

newline='
'

unled() { # PATH: no link on the way to it is another's than root's
	[ "$(id -u)" = 0 ] || return 0
	on=${1%/*}
	while [ -n "$on" ]; do
		if [ -h "$on" ] && [ "$(stat -c %u "$on")" != 0 ]; then
			insane "the directory $on is a symbolic link that root did not make, which root does not follow"
		fi
		on=${on%/*}
	done
}

parents() { # PATH: makes the directory that it lies in
	parent=${1%/*}
	if [ ! -d "$parent/" ]; then
		if [ -e "$parent" ]; then insane "the directory $parent cannot be made: Not a directory"; fi
		try "the directory $parent cannot be made" mkdir -p "$parent/"
	fi
}

clear_new() { # beside what was last asked for: the name that is used there until a file is whole
	new=$parent/.recipe-$service.new
	if [ -e "$new" ] || [ -h "$new" ]; then
		try "the file $new cannot be removed" rm -f "$new"
	fi
}

owners() { # WHAT USER GROUP: sets $uid and $gid, empty for leave alone
	uid='' gid=''
	[ "$(id -u)" = 0 ] || return 0
	if [ -n "$2" ]; then
		uid=$(number /etc/passwd "$2" 3) || insane "$1: there is no user \"$2\" on this host"
	fi
	if [ -n "$3" ]; then
		gid=$(number /etc/group "$3" 3) || insane "$1: there is no group \"$3\" on this host"
	fi
}

differs() { # FORMAT PATH WANTED
	[ -n "$3" ] && [ "$(stat -L -c "$1" "$2")" != "$3" ]
}

directory() { # PATH MODE USER GROUP
	thing="the directory $1"
	owners "$thing" "$3" "$4"
	unled "$1"
	if [ -h "$1" ]; then insane "$thing is a symbolic link, which is not followed"; fi
	if [ ! -e "$1" ]; then
		parents "$1"
		try "$thing cannot be made" mkdir -m 0700 "$1"
	fi
	[ -d "$1" ] || insane "$thing is something else already"
	if [ "$(id -u)" != 0 ]; then
		settle "$1" "$2"
	else # by a descriptor: the name may have become a link by now, where an account has the parent
		{
			[ "$(stat -L -c %d:%i /proc/self/fd/9)" = "$(stat -c %d:%i "$1")" ] || insane "$thing is a symbolic link, which is not followed"
			settle /proc/self/fd/9 "$2"
		} 9<"$1/." || insane "$thing cannot be opened"
	fi
}

settle() { # PATH MODE of $thing
	if differs %u "$1" "$uid" || differs %g "$1" "$gid"; then
		try "$thing cannot be given to its owner" chown "$uid${gid:+:$gid}" "$1"
	fi
	if differs %a "$1" "$2"; then
		try "$thing cannot be given its mode" chmod "00$2" "$1" # zeros clear set-group-id as well
	fi
}

written() { # PATH MODE USER GROUP COMMAND...: the file holds what the command prints
	path=$1 mode=$2
	thing="the file $1"
	owners "$thing" "$3" "$4"
	shift 4
	unled "$path"
	parents "$path"
	clear_new
	if [ -h "$path" ]; then insane "$thing is a symbolic link, which is not followed"; fi
	if [ -e "$path" ]; then
		[ -f "$path" ] || insane "$thing is something else already"
		if "$@" 2>/dev/null | cmp -s - "$path" && ! differs %u "$path" "$uid" && ! differs %g "$path" "$gid" &&
			! differs %a "$path" "$mode"; then
			return
		fi
	fi
	try "$thing cannot be written" replace "$@"
}

replace() { # COMMAND...: by rename, so that no reader sees half of it. The file is given away and opened to others by its
	# descriptor: its name may mean another one by then, where an account has the directory. -f: set -C opens what is no
	# file all the same. A launcher that was killed leaves a copy going: by then the new file may be its successor's.
	if (
		umask 077 && set -C && exec 9>"$new" && [ -f /proc/self/fd/9 ] && "$@" >&9 && sync /proc/self/fd/9 &&
			{ [ -z "$uid$gid" ] || chown "$uid${gid:+:$gid}" /proc/self/fd/9; } &&
			chmod "$mode" /proc/self/fd/9 &&
			[ "$(stat -L -c %d:%i /proc/self/fd/9)" = "$(stat -c %d:%i "$new")" ] &&
			mv -f "$new" "$path" && sync "$parent/"
	); then
		return 0
	fi
	rm -f "$new"
	return 1
}

template() { # PATH TEXT MODE USER GROUP
	written "$1" "$3" "$4" "$5" printf %s "$2"
}

copy() { # SOURCE PATH MODE USER GROUP [once]
	thing="the file $2"
	if [ $# -gt 5 ]; then # one that is there is kept
		if [ -h "$2" ]; then insane "$thing is a symbolic link, which is not followed"; fi
		if [ -f "$2" ]; then return; fi
		if [ -e "$2" ]; then insane "$thing is something else already"; fi
	fi
	unled "$1"
	if [ -h "$1" ] && [ "$(id -u)" = 0 ] && [ "$(stat -c %u "$1")" != 0 ]; then
		insane "the file $1 is a symbolic link that root did not make, which root does not follow"
	fi
	[ -e "$1" ] || insane "there is no file $1 to copy to $2"
	[ -f "$1" ] || insane "$1 is not a regular file, and cannot be copied"
	try "the file $1 cannot be read" head -c 0 "$1"
	written "$2" "$3" "$4" "$5" cat "$1"
}

symlink() { # PATH TARGET
	thing="the link $1"
	unled "$1"
	parents "$1"
	clear_new
	if [ -h "$1" ]; then
		if [ "$(readlink "$1" && echo .)" = "$(printf '%s\n.' "$2")" ]; then return; fi
	elif [ -e "$1" ]; then
		insane "$thing is something else already, which is not replaced: move it away"
	fi
	try "$thing cannot be made" repoint "$1" "$2"
}

repoint() { # PATH TARGET: by rename, so that there is always a link
	if ln -s -- "$2" "$new" && mv -fT "$new" "$1" && sync "$parent/"; then return 0; fi
	rm -f "$new"
	return 1
}

may() { # TEST PATH: asked as the account
	if [ -n "$account" ]; then
		# shellcheck disable=SC2016
		"$setpriv" --reuid "$account_uid" --regid "$account_gid" "$account_groups" sh -c 'test "$1" "$2"' sh "$1" "$2"
	else
		test "$1" "$2"
	fi
}

runnable() { # PROGRAM
	case $1 in
	/*) ;;
	*) insane "the program $1 is not an absolute path" ;;
	esac
	[ -e "$1" ] || insane "there is no program $1"
	[ -f "$1" ] || insane "the program $1 is not a regular file"
	may -x "$1" || insane "the program $1 is not executable${account:+ for \"$account\"}"
}

run() { # TIMEOUT SECONDS COMMAND...: what is left of its session in the end is killed
	limit=$1 seconds=$2
	shift 2
	runnable "$1"
	become setsid "$@" </dev/null &
	child=$!
	# TERM ends the timer while it waits, and no later: only then is its exit code 0.
	# shellcheck disable=SC2016
	setsid sh -c 'trap "exit 1" TERM
		sleep "$1" & wait "$!" && trap "" TERM && { kill -KILL "-$2" || kill -KILL "$2"; }' sh "$seconds" "$child" >/dev/null 2>&1 &
	timer=$!
	trap 'ended HUP' HUP
	trap 'ended INT' INT
	trap 'ended TERM' TERM
	wait "$child" 2>/dev/null
	code=$?
	kill -TERM "-$timer" "$timer" 2>/dev/null
	wait "$timer" 2>/dev/null
	late=$?
	kill -KILL "-$timer" "-$child" 2>/dev/null
	case $late:$code in
	0:*) insane "$1 did not end within $limit" ;;
	*:0) ;;
	*) insane "$1 failed with exit code $code" ;;
	esac
	trap - HUP INT TERM
}

ended() { # SIGNAL: dies by it, once the step has, since an init takes any exit code for a failure
	kill -KILL "-$child" "$child" "-$timer" "$timer" 2>/dev/null
	trap - "$1"
	kill -s "$1" "$$"
}

wait_for() { # LIMIT HUNDREDTHS WHAT FAILURE COMMAND...: until the command succeeds
	limit=$1 deadline=$(($(now) + $2)) what=$3 failure=$4 said=
	shift 4
	until "$@"; do
		if [ -z "$said" ]; then
			printf '%s waits for %s\n' "${says:-run-$service: $service}" "$what"
			said=1
		fi
		[ "$(now)" -lt "$deadline" ] || insane "$failure within $limit: see to it, or give it a longer timeout"
		sleep 0.1
	done
}

now() { # in hundredths of a second
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}"
}

wait_path() { # LIMIT HUNDREDTHS PATH
	wait_for "$1" "$2" "$3" "$3 did not appear" test -e "$3"
}

wait_tcp() { # LIMIT HUNDREDTHS HOST PORT
	if [ "$4" -lt 1 ] || [ "$4" -gt 65535 ]; then insane "$4 is not a TCP port: 1 to 65535"; fi
	wait_for "$1" "$2" "TCP port $4 of $3" "TCP port $4 of $3 took no connection" connects "$3" "$4"
}

connects() { # HOST PORT
	if command -v bash >/dev/null; then
		# shellcheck disable=SC2016
		timeout 2 bash -c ': <>"/dev/tcp/$1/$2"' bash "$1" "$2" 2>/dev/null
	else # busybox
		timeout 2 nc "$1" "$2" -e true 2>/dev/null
	fi
}

wait_socket() { # LIMIT HUNDREDTHS PATH
	wait_for "$1" "$2" "the socket $3" "the socket $3 took no connection" answers "$3"
}

answers() { # SOCKET: perl is part of every Debian; elsewhere the kernel's list has to do
	if command -v perl >/dev/null; then
		# shellcheck disable=SC2016
		timeout 2 perl -MSocket -MErrno=EPROTOTYPE -e '
			socket(my $s, AF_UNIX, SOCK_STREAM, 0) or exit 1;
			my $to = eval { sockaddr_un($ARGV[0]) } or exit 1;
			exit(connect($s, $to) || $! == EPROTOTYPE ? 0 : 1)' "$1" 2>/dev/null
	else
		[ -S "$1" ] && sed 's/^\([^ ]*  *\)\{7\}//' /proc/net/unix | grep -qxF -e "$1"
	fi
}

workdir() { # DIRECTORY
	[ -e "$1" ] || insane "there is no directory $1 to start in: have a step make it"
	[ -d "$1" ] || insane "$1 is not a directory to start in"
	may -x "$1" || insane "the directory $1 to start in cannot be entered${account:+ for \"$account\"}"
}

require_file() { # PATH [executable]
	[ -e "$1" ] || insane "there is no file $1: install what brings it"
	[ -f "$1" ] || insane "$1 is not a regular file"
	may -r "$1" || insane "the file $1 is not readable${account:+ for \"$account\"}"
	[ $# -lt 2 ] || may -x "$1" || insane "the file $1 is not executable${account:+ for \"$account\"}"
}

free_space() { # PATH BYTES
	at=$1
	while [ ! -e "$at" ]; do
		at=${at%/*}
		at=${at:-/}
	done
	blocks=$(stat -f -c %a "$at") || insane "the free space of $at cannot be found"
	free=$((blocks * $(stat -f -c %S "$at")))
	[ "$free" -ge "$2" ] || insane "$1 has $free bytes free and needs $2"
}

memory() { # BYTES
	available=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
	available=$((${available:-0} * 1024))
	[ "$available" -ge "$1" ] || insane "this host has $available bytes of memory available and needs $1: end what takes it, or give the host more"
}

mount() { # PATH, its links resolved
	at=$(readlink -f "$1")
	if [ ! -e "$1" ] || ! awk '{ print $5 }' /proc/self/mountinfo | grep -qxF -e "$(
		printf %s "$at" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g'
	)"; then
		insane "nothing is mounted at $1: mount it first"
	fi
}

port_free() { # PORT
	if [ "$1" -lt 1 ] || [ "$1" -gt 65535 ]; then insane "$1 is not a TCP port: 1 to 65535"; fi
	if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf :%04X "$1")" '
		$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } # 0A is LISTEN
		END { exit !found }'; then
		insane "the TCP port $1 is taken: a process listens on it"
	fi
}

writable() { # PATH. For root busybox does not see a file system that is mounted read-only.
	[ -e "$1" ] || insane "there is no $1 to write to"
	if may -w "$1" && { [ ! -d "$1" ] || may -x "$1"; }; then return 0; fi
	insane "$1 is not writable${account:+ for \"$account\"}: see to its owner and mode, and to whether its file system is mounted read-only"
}

# Arithmetic: checked, 64 bits, rounding down. The result is left in $value.
most=9223372036854775807 least=$((-most - 1))
fits() { # TRUTH
	[ "$1" = 1 ] || fail 'the result does not fit in 64 bits'
}
mul() {
	a=$1 b=$2
	if [ "$b" -gt 0 ]; then
		fits $((a >= least / b && a <= most / b))
	elif [ "$b" -lt -1 ]; then
		fits $((a >= most / b && a <= least / b))
	elif [ "$b" = -1 ]; then
		fits $((a != least))
	fi
	value=$((a * b))
}
clamp() { # VALUE LOW HIGH
	[ "$2" -le "$3" ] || fail "clamp's low bound $2 is above its high bound $3"
	value=$1
	[ "$value" -ge "$2" ] || value=$2
	[ "$value" -le "$3" ] || value=$3
}

become() { # SETSID COMMAND...: execs it as the account, with the daemon's environment and nothing else
	detach=$1
	shift
	case $1 in
	*=*) # env would take it for a variable
		nice=$(command -v nice) || insane "there is no nice on this host, which a program with = in its path needs"
		set -- "$nice" -n 0 "$@"
		;;
	esac
	defaults=
	if env --default-signal true 2>/dev/null; then defaults=--default-signal; fi
	set -- env ${defaults:+"$defaults"} -i \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		LANG=C.UTF-8 \
		HOME="$root/var/lib/foo" \
		USER=foo \
		LOGNAME=foo \
		FOO_DATA="$root/var/lib/foo" \
		"$@"
	umask 27
	if [ -n "$account" ] && [ -n "$detach" ]; then
		set -- "$setpriv" --reuid "$account_uid" --regid "$account_gid" "$account_groups" -- "$@"
	fi
	if [ -z "$detach" ]; then
		cd "$workdir" || insane "the directory $workdir to start in cannot be entered"
		set -- -- "$@"
		set -- --no-new-privs "$@"
		if [ "$(id -u)" = 0 ]; then
			capability net_bind_service 10
			set -- --bounding-set=-all,+net_bind_service --inh-caps=-all,+net_bind_service "$@"
			set -- --ambient-caps=-all,+net_bind_service "$@"
		fi
		if [ -n "$account" ]; then set -- --reuid "$account_uid" --regid "$account_gid" "$account_groups" "$@"; fi
		find_setpriv
		set -- "$setpriv" "$@"
		command -v nice >/dev/null || insane 'there is no nice on this host: install coreutils'
		step=$((5 - $(nice)))
		if [ "$step" -ge 0 ] || [ "$(id -u)" = 0 ]; then set -- nice -n "$step" "$@"; fi
		command -v ionice >/dev/null || insane 'there is no ionice on this host: install util-linux'
		set -- ionice -t -c 2 -n 4 "$@"
		bound u 1 4096 'processes of the user'
	fi
	exec ${detach:+"$detach"} "$@"
}

root=
if [ $# = 2 ] && [ "$1" = --root ]; then
	case $2 in
	/*) root=${2%/} && shift 2 ;;
	esac
fi
if [ $# -gt 0 ]; then
	echo 'usage: run-foo [--root DIR], DIR being absolute' >&2
	exit 2
fi
umask 022
cd / || insane 'cannot enter /'
unset OMP_NUM_THREADS OMP_THREAD_LIMIT
host_cpus=$(nproc)

# What this host makes of the recipe.
line_port=
line_workers=
line_log_level=
set_flag() { # NAME VALUE, both from the file
	why='' already='' value=$2
	case $1 in
	port)
		whole "$2"
		within "$value" 1 65535 '1 to 65535' ''
		flag_port=$value already=$line_port line_port=${line_port:-$number}
		;;
	workers)
		whole "$2"
		flag_workers=$value already=$line_workers line_workers=${line_workers:-$number}
		;;
	log-level)
		one_of "$value" 'debug, info, error' debug info error
		flag_log_level=$value already=$line_log_level line_log_level=${line_log_level:-$number}
		;;
	*) no_flag "$1" 'port, workers, log-level' port workers log-level ;;
	esac
	if [ -n "$already" ]; then why="is set already, in line $already"; fi
	if [ -n "$why" ]; then why="flag $(quoted "$1"): $why"; fi
}
flags=$root/etc/foo/flags
read_flags "$flags"
if [ -z "$line_port" ]; then flag_port=8080; fi
if [ -z "$line_workers" ]; then
	doing='flag "workers": the default cannot be used' remedy=": set it in $flags"
	mul "$host_cpus" 2
	clamp "$value" 2 64
	v1=$value
	flag_workers="$v1" remedy=
fi
if [ -z "$line_log_level" ]; then flag_log_level=info; fi
workdir="$root/var/lib/foo"
set -- "$root/usr/lib/foo/bin/food" \
	--foreground \
	"--config=$root/etc/foo/foo.conf" \
	"--live=$root/run/foo/live.conf" \
	"--workers=$flag_workers"

account foo foo
more_groups ssl-cert
directory "$root/var/lib/foo" 750 foo foo
template "$root/run/foo/live.conf" "listen $flag_port
log-level $flag_log_level
" 644 '' ''
free_space "$root/var/lib/foo" 1073741824
port_free "$flag_port"
require_file "$root/usr/lib/foo/bin/food" executable
copy "$root/usr/share/foo/foo.conf" "$root/etc/foo/foo.conf" 644 '' '' once
symlink "$root/etc/foo/current" foo.conf
wait_tcp 1m 6000 db.example.org 5432
wait_socket 1m 6000 "$root/run/db.sock"
wait_path 1m 6000 "$root/srv/data"
mount "$root/srv/data"
memory 268435456
writable "$root/var/lib/foo"
run 30s 30 "$root/usr/lib/foo/bin/food" --migrate
runnable "$1"
workdir "$workdir"
bound n 1 65536 'open files'
bound c 512 0 'bytes of a core dump'
{ echo -100 >/proc/self/oom_score_adj; } 2>/dev/null || : # lowering needs a privilege, and is a favour
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
become '' "$@"
