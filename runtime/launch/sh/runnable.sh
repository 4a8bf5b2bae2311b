runnable() { # PROGRAM
	case $1 in
	/*) ;;
	*) insane "the program $1 is not an absolute path" ;;
	esac
	[ -e "$1" ] || insane "there is no program $1"
	[ -f "$1" ] || insane "the program $1 is not a regular file"
	may -x "$1" || insane "the program $1 is not executable${account:+ for \"$account\"}"
}
