# shellcheck disable=SC3045
bound() { # OPTION BLOCK BLOCKS UNIT: both the soft limit and the hard one. For processes dash has -p.
	if ulimit "-$1" "$3" 2>/dev/null || { [ "$1" = u ] && ulimit -p "$3" 2>/dev/null; }; then return; fi
	hard=$(ulimit "-H$1" 2>/dev/null || ulimit -Hp)
	case $hard in
	unlimited) ;;
	*) hard=$((hard * $2)) ;;
	esac
	insane "the limit of $(($3 * $2)) $4 cannot be set: the hard limit is $hard"
}
