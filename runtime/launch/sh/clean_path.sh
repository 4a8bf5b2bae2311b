clean_path() { # TEXT: sets $value below the root
	value=$root$1
	case $1 in
	/) value=${root:-/} && return ;;
	/*) rest=${1#/}/ ;;
	*) why="$(quoted "$1") is not an absolute path" && return ;;
	esac
	while [ -n "$rest" ]; do
		element=${rest%%/*} rest=${rest#*/}
		case $element in
		'' | . | ..) why="$(quoted "$1") is not a clean path: it has an element \"$element\"" && return ;;
		esac
	done
}
