owners() { # WHAT USER GROUP: sets $uid and $gid, empty for leave alone
	uid='' gid=''
	[ "$(id -u)" = 0 ] || return 0
	if [ -n "$2" ]; then
		uid=$(number /etc/passwd "$2" 3) || insane "$1: there is no user \"$2\" on this host"
	fi
	if [ -n "$3" ]; then
		gid=$(number /etc/group "$3" 3) || insane "$1: there is no group \"$3\" on this host"
	fi
}

differs() { # FORMAT PATH WANTED
	[ -n "$3" ] && [ "$(stat -L -c "$1" "$2")" != "$3" ]
}
