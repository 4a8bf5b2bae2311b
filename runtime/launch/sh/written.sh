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
