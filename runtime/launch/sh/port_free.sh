port_free() { # PORT
	if [ "$1" -lt 1 ] || [ "$1" -gt 65535 ]; then insane "$1 is not a TCP port: 1 to 65535"; fi
	if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf :%04X "$1")" '
		$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } # 0A is LISTEN
		END { exit !found }'; then
		insane "the TCP port $1 is taken: a process listens on it"
	fi
}
