units() { # TEXT WHAT ACCEPTED [SUFFIX FACTOR]...
	text=$1 what=$2 accepted=$3
	shift 3
	digits=${text%%[!0-9]*}
	suffix=${text#"$digits"}
	while [ $# -gt 0 ]; do
		if [ -n "$digits" ] && [ "$suffix" = "$1" ]; then
			digits=${digits#"${digits%%[!0]*}"}
			digits=${digits:-0}
			if too_large "$digits" 7 || [ "$digits" -gt $((9223372036854775807 / $2)) ]; then
				why="$(quoted "$text") is too large for $what"
			else
				value=$((digits * $2))
			fi
			return
		fi
		shift 2
	done
	why="$(quoted "$text") is not $what: $accepted"
}
