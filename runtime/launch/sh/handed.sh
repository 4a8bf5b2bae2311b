handed() { # NUMBER REASON: this very process must have been handed that many sockets
	if [ "${LISTEN_PID-}" != "$$" ] || [ "${LISTEN_FDS-}" != "$1" ]; then insane "$2"; fi
}
