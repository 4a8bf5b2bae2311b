whole() { # TEXT
	value=$1 digits=${1#-} last=7
	if [ "$digits" != "$1" ]; then last=8; fi
	case $digits in
	'' | *[!0-9]* | 0?*) ;;
	*) [ "$1" = -0 ] || too_large "$digits" "$last" || return 0 ;;
	esac
	why="$(quoted "$1") is not a whole number of 64 bits"
}
