read_flags() { # FILE of name=value lines, read strictly
	if [ ! -e "$1" ]; then
		if [ ! -d "${1%/*}" ] || [ -x "${1%/*}" ]; then return 0; fi # else nobody can tell
	fi
	[ -r "$1" ] || insane "$1: cannot be read"
	[ -f "$1" ] || insane "$1: is not a regular file"
	[ "$(wc -c <"$1")" -le 1048576 ] || insane "$1: is larger than 1MiB"
	faults=$newline$(bad_bytes "$1")
	lines=${faults##* } number=0 problems=
	while [ "$number" -lt "$lines" ]; do
		number=$((number + 1))
		IFS= read -r line
		why=${faults#*"$newline$number:"} # or all of it, from the first line end on
		why=${why%%"$newline"*}
		if [ -z "$why" ]; then
			case $line in
			'#'*) ;;
			[" $tab"]*[!" $tab"]*) why='white space before the name: write name=value from the start of the line' ;;
			*=*) set_flag "${line%%=*}" "${line#*=}" ;;
			*[!" $tab"]*) why="no '=': write name=value" ;;
			esac
		fi
		if [ -n "$why" ]; then problems="$problems${problems:+; }$1:$number: $why"; fi
	done <"$1"
	[ -z "$problems" ] || insane "$problems"
}

bad_bytes() { # FILE: prints LINE:WHY for each line that holds a byte with no place there, then the number of lines
	od -An -v -tu1 "$1" | awk '
		function fault(why) { if (said != line) print line ":" why; said = line }
		BEGIN { line = 1 }
		{ for (i = 1; i <= NF; i++) byte($i + 0) }
		function byte(b) {
			if (cr) fault(b == 10 ? unix : "a control character")
			cr = 0
			if (more && b >= low && b <= high) { size++; more--; low = 128; high = 191; return }
			if (more) fault("bytes that are not UTF-8")
			more = 0
			if (b == 10) {
				if (size > 16384) fault(long)
				size = 0
				line++
				return
			}
			size++
			if (b == 13) cr = 1
			else if (b == 0) fault("a NUL byte")
			else if (b < 32 && b != 9 || b == 127) fault("a control character")
			else if (b > 127) {
				more = b < 194 || b > 244 ? 0 : b < 224 ? 1 : b < 240 ? 2 : 3
				if (!more) fault("bytes that are not UTF-8")
				low = b == 224 ? 160 : b == 240 ? 144 : 128
				high = b == 237 ? 159 : b == 244 ? 143 : 191
			}
		}
		BEGIN { long = "a line of more than 16384 bytes" }
		BEGIN { unix = "a carriage return at the end: write the file with Unix line ends" }
		END {
			if (cr) fault(unix)
			if (more) fault("bytes that are not UTF-8")
			if (size > 16384) fault(long)
			print "lines: " line
		}'
}

newline='
'
