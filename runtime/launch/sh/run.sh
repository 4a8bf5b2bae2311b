run() { # TIMEOUT SECONDS COMMAND...: what is left of its session in the end is killed
	limit=$1 seconds=$2
	shift 2
	runnable "$1"
	become setsid "$@" </dev/null &
	child=$!
	# TERM ends the timer while it waits, and no later: only then is its exit code 0.
	# shellcheck disable=SC2016
	setsid sh -c 'trap "exit 1" TERM
		sleep "$1" & wait "$!" && trap "" TERM && { kill -KILL "-$2" || kill -KILL "$2"; }' sh "$seconds" "$child" >/dev/null 2>&1 &
	timer=$!
	trap 'ended HUP' HUP
	trap 'ended INT' INT
	trap 'ended TERM' TERM
	wait "$child" 2>/dev/null
	code=$?
	kill -TERM "-$timer" "$timer" 2>/dev/null
	wait "$timer" 2>/dev/null
	late=$?
	kill -KILL "-$timer" "-$child" 2>/dev/null
	case $late:$code in
	0:*) insane "$1 did not end within $limit" ;;
	*:0) ;;
	*) insane "$1 failed with exit code $code" ;;
	esac
	trap - HUP INT TERM
}

ended() { # SIGNAL: dies by it, once the step has, since an init takes any exit code for a failure
	kill -KILL "-$child" "$child" "-$timer" "$timer" 2>/dev/null
	trap - "$1"
	kill -s "$1" "$$"
}
