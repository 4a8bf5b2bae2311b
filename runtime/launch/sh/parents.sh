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
