number() { # FILE NAME FIELD: prints a field of the line of that name
	awk -F: -v name="$2" -v field="$3" '
		$1 == name { print $field; found = 1; exit }
		END { exit !found }' "$1"
}
