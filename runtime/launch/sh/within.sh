within() { # LOW HIGH ACCEPTED [FORMAT]: judges $value
	if [ -n "$why" ] || { [ "$value" -ge "$1" ] && [ "$value" -le "$2" ]; }; then return 0; fi
	if [ $# -gt 3 ]; then "$4" "$value"; fi
	why="$value is out of range: $3"
}
