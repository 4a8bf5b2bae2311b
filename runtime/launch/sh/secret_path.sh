secret_path() { # TEXT NAME: sets $value below the root; nothing shows the text
	case $1 in
	@*) clean_path "${1#@}" ;;
	*) why=bad ;;
	esac
	if [ -n "$why" ]; then
		why="it is a secret, whose value is not written here: write $2=@/PATH, an absolute path of a file that holds it"
	fi
}
