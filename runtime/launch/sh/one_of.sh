one_of() { # TEXT ACCEPTED CHOICE...
	value=$1 accepted=$2
	shift 2
	for choice in "$@"; do
		[ "$value" != "$choice" ] || return 0
	done
	why="$(quoted "$value") is not one of: $accepted"
}
