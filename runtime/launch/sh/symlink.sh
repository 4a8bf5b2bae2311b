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
