template() { # PATH TEXT MODE USER GROUP
	written "$1" "$3" "$4" "$5" printf %s "$2"
}
