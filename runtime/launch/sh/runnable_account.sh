runnable() { # PROGRAM
	case $1 in
	/*) ;;
	*) insane "the program $1 is not an absolute path" ;;
	esac
	[ -e "$1" ] || insane "there is no program $1"
	[ -f "$1" ] || insane "the program $1 is not a regular file"
	if [ -n "$account" ]; then
		# shellcheck disable=SC2016
		"$setpriv" --reuid "$account_uid" --regid "$account_gid" --init-groups sh -c '[ -x "$1" ]' sh "$1"
	else
		[ -x "$1" ]
	fi || insane "the program $1 is not executable${account:+ for \"$account\"}"
}
