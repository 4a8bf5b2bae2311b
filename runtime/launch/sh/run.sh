run() { # TIMEOUT SECONDS COMMAND...: what is left of its session in the end is killed
	limit=$1 seconds=$2
	shift 2
	runnable "$1"
	become setsid "$@" </dev/null &
	child=$!
	# shellcheck disable=SC2016
	setsid sh -c 'sleep "$1" && kill -KILL "-$2" "$2"' sh "$seconds" "$child" 2>/dev/null &
	timer=$!
	trap 'kill -KILL "-$child" "$child" "-$timer" "$timer" 2>/dev/null; exit 143' HUP INT TERM
	wait "$child" 2>/dev/null
	code=$?
	kill -KILL "-$timer" "$timer" "-$child" 2>/dev/null
	wait "$timer" 2>/dev/null
	case $?:$code in
	0:*) insane "$1 did not end within $limit" ;;
	*:0) ;;
	*) insane "$1 failed with exit code $code" ;;
	esac
	trap - HUP INT TERM
}
