too_large() { # DIGITS LAST: beyond 64 bits, whose greatest number ends in LAST
	if [ ${#1} -ne 19 ]; then
		[ ${#1} -gt 19 ]
		return
	fi
	head=${1%?}
	[ "$head" -gt 922337203685477580 ] || { [ "$head" -eq 922337203685477580 ] && [ "${1#"$head"}" -gt "$2" ]; }
}
