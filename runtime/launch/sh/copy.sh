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
