workdir() { # DIRECTORY
	[ -e "$1" ] || insane "there is no directory $1 to start in: have a step make it"
	[ -d "$1" ] || insane "$1 is not a directory to start in"
	may -x "$1" || insane "the directory $1 to start in cannot be entered${account:+ for \"$account\"}"
}
