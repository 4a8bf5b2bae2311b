one_line() { # judges $value
	case $value in
	*"$newline"* | *"$return"*) why='it is not one line of text' ;;
	esac
}
return=$(printf '\r')
