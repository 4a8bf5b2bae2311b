wait_path() { # LIMIT HUNDREDTHS PATH
	wait_for "$1" "$2" "$3" "$3 did not appear" test -e "$3"
}
