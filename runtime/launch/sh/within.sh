within() { # NUMBER LOW HIGH ACCEPTED SUFFIX [FORMAT]
	if [ -n "$why" ] || { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }; then return 0; fi
	value=$1$5
	case $value in
	'1 bytes' | '1 elements') value=${value%s} ;;
	esac
	if [ $# -gt 5 ]; then "$6" "$1"; fi
	why="$value is out of range: $4"
}
