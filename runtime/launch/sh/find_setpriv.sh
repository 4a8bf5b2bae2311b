setpriv=''
find_setpriv() { # that of util-linux: busybox's cannot change users
	for setpriv in /usr/bin/setpriv /bin/setpriv; do
		[ ! -x "$setpriv" ] || return 0
	done
	insane 'there is no setpriv on this host: install util-linux'
}
