no_flag() { # NAME ACCEPTED FLAG...
	name=$1 why="no such flag; there are: $2"
	shift 2
	why=$why$(printf '%s\n' "$name" "$@" | awk '
		NR == 1 { a = tolower($0); least = int(length(a) / 2) + 1; next }
		{ # Levenshtein, one row
			b = tolower($0)
			for (j = 0; j <= length(b); j++) row[j] = j
			for (i = 1; i <= length(a); i++) {
				diagonal = row[0]
				row[0] = i
				for (j = 1; j <= length(b); j++) {
					cost = diagonal
					diagonal = row[j]
					if (substr(a, i, 1) != substr(b, j, 1)) {
						if (row[j] < cost) cost = row[j]
						if (row[j - 1] < cost) cost = row[j - 1]
						cost++
					}
					row[j] = cost
				}
			}
			if (row[length(b)] < least) { least = row[length(b)]; best = $0 }
		}
		END { if (best != "") printf " (did you mean \"%s\"?)", best }')
}
