parents() { # PATH: makes the directory that it lies in
	parent=${1%/*}
	if [ ! -d "$parent/" ]; then
		if [ -e "$parent" ]; then insane "the directory $parent cannot be made: Not a directory"; fi
		try "the directory $parent cannot be made" mkdir -p "$parent/"
	fi
}
