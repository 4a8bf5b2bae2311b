require_file() { # PATH [executable]
	[ -e "$1" ] || insane "there is no file $1: install what brings it"
	[ -f "$1" ] || insane "$1 is not a regular file"
	may -r "$1" || insane "the file $1 is not readable${account:+ for \"$account\"}"
	[ $# -lt 2 ] || may -x "$1" || insane "the file $1 is not executable${account:+ for \"$account\"}"
}
