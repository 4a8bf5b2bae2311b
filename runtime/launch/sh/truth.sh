truth() { # TEXT
	case $1 in
	true | false) value=$1 ;;
	*) why="$(quoted "$1") is not a bool: true or false" ;;
	esac
}
