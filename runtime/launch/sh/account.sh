account='' account_uid='' account_gid='' account_groups=--init-groups
account() { # USER [GROUP]: root becomes the user; nobody else can
	[ "$(id -u)" = 0 ] || return 0
	account=$1
	account_uid=$(number /etc/passwd "$1" 3) || insane "there is no user \"$1\" on this host"
	if [ -z "${2-}" ]; then
		account_gid=$(number /etc/passwd "$1" 4)
	else
		account_gid=$(number /etc/group "$2" 3) || insane "there is no group \"$2\" on this host"
	fi
	find_setpriv
}
