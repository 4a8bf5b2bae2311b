template() { # PATH TEXT MODE USER GROUP
	thing="the file $1"
	owners "$thing" "$4" "$5"
	unled "$1"
	parents "$1"
	new=$parent/.recipe-$service.new
	if [ -e "$new" ] || [ -h "$new" ]; then
		try "the file $new cannot be removed" rm -f "$new"
	fi
	if [ -h "$1" ]; then insane "$thing is a symbolic link, which is not followed"; fi
	if [ -e "$1" ]; then
		[ -f "$1" ] || insane "$thing is something else already"
		if printf %s "$2" | cmp -s - "$1" && ! differs %u "$1" "$uid" && ! differs %g "$1" "$gid" &&
			! differs %a "$1" "$3"; then
			return
		fi
	fi
	try "$thing cannot be written" replace "$@"
}

replace() { # PATH TEXT MODE: by rename, so that no reader sees half of it. The file is given away and opened to others
	# by its descriptor: its name may mean another one by then, where an account has the directory. -f: set -C opens what is
	# no file all the same.
	if (
		umask 077 && set -C && exec 9>"$new" && [ -f /proc/self/fd/9 ] && printf %s "$2" >&9 && sync /proc/self/fd/9 &&
			{ [ -z "$uid$gid" ] || chown "$uid${gid:+:$gid}" /proc/self/fd/9; } &&
			chmod "$3" /proc/self/fd/9 && mv -f "$new" "$1" && sync "$parent/"
	); then
		return 0
	fi
	rm -f "$new"
	return 1
}
