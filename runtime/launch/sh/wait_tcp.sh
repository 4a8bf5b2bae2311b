wait_tcp() { # LIMIT HUNDREDTHS HOST PORT
	if [ "$4" -lt 1 ] || [ "$4" -gt 65535 ]; then insane "$4 is not a TCP port: 1 to 65535"; fi
	wait_for "$1" "$2" "TCP port $4 of $3" "TCP port $4 of $3 took no connection" connects "$3" "$4"
}

connects() { # HOST PORT
	if command -v bash >/dev/null; then
		# shellcheck disable=SC2016
		timeout 2 bash -c ': <>"/dev/tcp/$1/$2"' bash "$1" "$2" 2>/dev/null
	else # busybox
		timeout 2 nc "$1" "$2" -e true 2>/dev/null
	fi
}
