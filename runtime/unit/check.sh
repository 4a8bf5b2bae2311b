now() { # hundredths of a second since the boot, sleep included
	IFS='. ' read -r whole part _ </proc/uptime
	now=$((whole * 100 + 1$part - 100))
}

pause() { # HUNDREDTHS
	if [ "$1" -gt 0 ]; then sleep "$(($1 / 100)).$(($1 / 10 % 10))$(($1 % 10))"; fi
}

ask() { # PROBE SECONDS WHO VALUE...: sets $reason, empty for healthy. What the service says is not read with root's
	# privileges: WHO is USER:[GROUP]:[FURTHER-GROUPS], nobody where it is 65534, and whoever we are where it is empty.
	number=$1 seconds=$2 who=$3
	shift 3
	set -- "$self" exchange "$number" "$@"
	if [ "$(id -u)" = 0 ]; then
		case $who in
		'') ;;
		65534) set -- setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all "$@" ;;
		*)
			user=${who%%:*} group=${who#*:} more=${who##*:}
			group=${group%:*}
			set -- setpriv "--reuid=$user" "--regid=${group:-$(id -g "$user")}" "--groups=$(id -G "$user" | tr ' ' ,)${more:+,$more}" --inh-caps=-all "$@"
			;;
		esac
	fi
	reason=$({ timeout -s KILL "$seconds" "$@" </dev/null; } 2>/dev/null)
	case $reason in
	ok) reason= ;;
	'') reason="no answer within ${seconds}s" ;;
	esac
}

http() { # WHAT URL BODY STATUSES EXPECT OPTION...
	what=$1 url=$2 body=$3 statuses=$4 expect=$5
	shift 5
	printf %b "$body" | curl -q -s -S -g -i -N --http1.1 --path-as-is --noproxy '*' -A recipe "$@" "$url" 2>&1 |
		judge "$what" "$statuses" "$(text "$expect")"
}

judge() { # WHAT STATUSES EXPECT: says the verdict, then kills the rest of this group, which may be a stream without end
	cr=$(printf '\r') status='' reason='no whole answer' answer=''
	while IFS= read -r line; do
		case $line in
		'HTTP/'*) status=${line#* } status=${status%%[!0-9]*} ;;
		"$cr" | '') [ "${status:-0}" -lt 200 ] || break ;; # 1xx announce the answer
		'curl: '*) status='' reason=${line#curl: } ;;
		esac
	done
	if [ -z "$status" ]; then
		printf '%s: %s\n' "$1" "$reason"
	elif ! wanted_status "$status" "$2"; then
		printf '%s: status %s, wanted %s\n' "$1" "$status" "$2"
	elif [ "$3" = . ] || await "$1" "$3"; then
		echo ok
	fi
	kill -KILL 0
}

wanted_status() { # STATUS RANGES, as in "200, 300-399"
	for range in $2; do
		range=${range%,}
		if [ "$1" -ge "${range%-*}" ] && [ "$1" -le "${range#*-}" ]; then return 0; fi
	done
	return 1
}

tcp() { # PORT HOST SEND EXPECT...: the connection is bash's, since curl reads meaning into some bytes of telnet://
	# shellcheck disable=SC2016
	exec bash -c '
		port=$1 host=$2
		shift 2
		if { exec 4<>"/dev/tcp/$host/$port"; } 2>/dev/null; then
			if [ $# = 0 ]; then echo ok; exit; fi
			exec "$0" converse "$host:$port" "$@" 3>&1 <&4 >&4
		fi
		echo "connect to $host:$port: refused or not reached"' "$self" "$@"
}

unix() { # PATH SEND EXPECT...: the connection is perl's, since bash has none
	# shellcheck disable=SC2016
	exec perl -e '
		use Socket; use POSIX ();
		my ($self, $path, @rounds) = @ARGV;
		socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($path)) or print("connect to $path: $!\n"), exit;
		@rounds or print("ok\n"), exit;
		POSIX::dup2(fileno(S), 0);
		POSIX::dup2(1, 3);
		POSIX::dup2(0, 1);
		exec $self, "converse", $path, @rounds' "$self" "$@"
}

tls() { # ADDRESS OPTIONS COUNT-OF-THEM SEND EXPECT...: the connection is that of openssl
	# shellcheck disable=SC2016
	exec bash -c '
		address=$1 count=$2
		shift 2
		coproc openssl s_client -quiet -verify_quiet "${@:1:count}" 2>/dev/null
		shift "$count"
		if { exec 4<&"${COPROC[0]}" 5>&"${COPROC[1]}"; } 2>/dev/null; then
			"$0" converse "$address" "$@" 3>&1 <&4 >&5
		fi
		echo "TLS with $address: refused or not reached"' "$self" "$@"
}

performs() { # NAME=VALUE... COMMAND...: what is left of its group in the end is killed
	{
		env -i "$@" 2>&1 </dev/null
		printf '\n%s ended with %d\n' "$self" "$?"
	} | {
		said=''
		while IFS= read -r line; do
			case $line in
			"$self ended with "*) break ;;
			*[![:space:]]*) said=$line ;;
			esac
		done
		code=${line##* }
		if [ "$code" = 0 ]; then
			echo ok
		else
			printf 'exit code %s: %s\n' "$code" "$(printf %s "$said" | head -c 500 | tr -c ' -~' '?')"
		fi
		kill -KILL 0
	}
}

text() { # ESCAPED: the bytes, and a dot that keeps line ends
	printf '%b.' "$1"
}

converse() { # ADDRESS SEND EXPECT...: reads from 0, writes to 1, says the verdict to 3, then kills what holds the
	# connection. Bash lets what it duplicates from a coprocess through an exec below 3 alone.
	exec 4>&1 1>&3 3>&4
	address=$1 answer=''
	shift
	trap '' PIPE # the reason is found by reading
	while [ $# -gt 0 ]; do
		what="waited for $address to speak"
		if [ -n "$1" ]; then
			what="sent $1 to $address"
			printf %b "$1" >&3
		fi
		await "$what" "$(text "$2")" || break
		shift 2
	done
	[ $# -gt 0 ] || echo ok
	kill -KILL 0
}

await() { # WHAT EXPECT-AND-DOT: reads until it is seen, at most 64 KiB; $answer is then what came after it
	wanted=${2%.}
	while :; do
		case $answer in
		'') ;;
		*"$wanted"*)
			if [ -n "$wanted" ]; then answer=${answer#*"$wanted"}; else answer=''; fi
			return 0
			;;
		esac
		[ "${#answer}" -lt 65536 ] || break
		piece=$(dd bs=4096 count=1 2>/dev/null | tr '\0' '\1' && echo .) || break
		piece=${piece%.}
		[ -n "$piece" ] || break
		answer=$answer$piece
	done
	printf '%s: found %s, wanted %s\n' "$1" "$(shown "$answer")" "$(shown "$wanted")"
	return 1
}

shown() { # TEXT: its beginning, printable
	printf '"%s"' "$(printf %s "$1" | head -c 80 | tr -c ' -~' '?')"
}

main() {
	pid=$(timeout 10 systemctl show --property=MainPID --value "$unit" 2>/dev/null)
}

preparing() { # whether the service is still its launcher
	main
	case $({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) in
	*"sh $launcher "*) ;;
	*) return 1 ;;
	esac
}

say() { # PRIORITY TEXT: among the words of the service in the journal, else among our own
	printf 'MESSAGE=%s\nPRIORITY=%s\nSYSLOG_IDENTIFIER=check-%s\nOBJECT_SYSTEMD_UNIT=%s\n' "$2" "$1" "$service" "$unit" |
		timeout 10 logger --journald 2>/dev/null || printf '%s\n' "$2"
}

watch() { # PROBE NAME EVERY SECONDS LIMIT FAILURES SUCCESSES START-WITHIN ROLE WHO VALUE...; SECONDS and LIMIT are the
	# timeout, and the times but SECONDS are in hundredths of a second. One of startup returns once it was answered.
	number=$1 name=$2 every=$3 seconds=$4 limit=$5 most=$6 enough=$7 within=$8 role=$9 who=${10}
	shift 10
	failures=0 successes=0 seen='' quick=$((every < 50 ? every : 50))
	now
	born=$now due=$now
	while :; do
		now
		[ "$due" -gt "$now" ] || due=$now
		pause $((due - now))
		now
		asked=$now late=$((now - due)) due=$((now + every))
		ask "$number" "$seconds" "$who" "$@"
		now
		if [ -z "$reason" ]; then
			if [ "$role" = readiness ] && [ "$failures" -ge "$most" ]; then say 6 "$name: it is ready again"; fi
			failures=0 successes=$((successes + 1))
			if [ -n "$seen" ] || [ "$successes" -lt "$enough" ]; then continue; fi
			due=$((now + 1 + $$ * 7 % every)) # from here on not in step with others
			main
			seen=$pid
			say 6 "$name: pid $pid answers"
			[ "$role" != startup ] || return 0
			continue
		fi
		successes=0
		# Who was stalled, this host or the service? It proves nothing.
		if [ "$late" -gt 100 ] || [ $((now - asked - limit)) -gt 100 ]; then continue; fi
		if [ -z "$seen" ]; then
			if preparing; then born=$now; fi
			if [ $((now - born)) -lt "$within" ] || [ "$born" = "$now" ]; then
				due=$((asked + quick))
				continue
			fi
		fi
		failures=$((failures + 1))
		if [ "$role" = readiness ]; then
			[ "$failures" != "$most" ] || say 4 "$name: $reason ($failures in a row): not ready, which kills nothing"
			continue
		fi
		say 4 "$name: $reason ($failures of $most)"
		if [ "$failures" -ge "$most" ]; then
			main
			if [ "$pid" = "${seen:-$pid}" ]; then # and no successor
				say 4 "$service is hung: it is killed, to be started anew"
				timeout 10 systemctl kill --signal=KILL "$unit" || say 4 "cannot kill $unit: systemctl ended with $?"
			fi
			now
			born=$now failures=0 seen=''
		fi
	done
}
