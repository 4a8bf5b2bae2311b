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
