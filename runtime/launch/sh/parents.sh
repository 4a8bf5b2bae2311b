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
