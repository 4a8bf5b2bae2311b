#!/bin/sh
# Written by recipe. After a purge nothing is left of the package: settings, state, data that its services were given,
# accounts that it made.
{{with .HookText}}{{.}}
{{end}}set -e
{{if .Units}}units='{{.Units}}'

forget() { # UNIT
	timeout 60 deb-systemd-helper purge "$1" >/dev/null || :
	timeout 60 deb-systemd-helper unmask "$1" >/dev/null || :
	rm -f "/run/run-$1.keep" "/var/lib/systemd/timers/stamp-$1"
}

reload() {
	[ ! -d /run/systemd/system ] || timeout 60 systemctl --system daemon-reload || :
}
{{end}}{{if .Leaves}}
foreign() { # PATH: whether another package has it
	dpkg-query --search "$1" 2>/dev/null | sed 's/: .*//; s/, /\n/g' | grep -qvx '{{.Package}}'
}

erase() { # DIRECTORY
	if foreign "$1"; then
		echo "{{.Package}}: $1 belongs to another package as well, and is left" >&2
	elif [ -e "$1" ] || [ -h "$1" ]; then
		rm -rf --one-file-system "$1" || :
	fi
}

drop() { # FILE, unless a link leads to where it lies: whoever had a directory on the way could have put it there
	[ "$(readlink -m "${1%/*}")" != "${1%/*}" ] || rm -f "$1" || :
}

clear_away() { # DIRECTORY, if it is empty
	foreign "$1" || rmdir "$1" 2>/dev/null || :
}
{{end}}{{if .Accounts}}
disown_account() { # USER GROUP: it goes if this package made it
	[ "$(timeout 60 getent passwd "$1" | cut -d: -f5)" = '{{.Mark}}' ] || return 0
	timeout 60 userdel "$1" >/dev/null || echo "{{.Package}}: the account $1 is left" >&2
	if [ "$1" = "$2" ] && timeout 60 getent group "$2" >/dev/null; then timeout 60 groupdel "$2" || :; fi
}
{{end}}
case $1 in
{{- if or .Units .Hooks}}
remove)
{{- if .Units}}
	for unit in $units; do
		timeout 60 deb-systemd-helper mask "$unit" >/dev/null || :
		rm -f "/run/run-$unit.keep"
	done
	reload
{{- end}}
{{- range .Hooks}}
	hook {{.Phase}} {{.Seconds}} '{{.Strict}}'
{{- end}}
	;;
{{- end}}
{{- if .Phases}}
abort-install | abort-upgrade) rm -f /run/run-{{.Package}}.phase ;;
{{- end}}
purge)
{{- if .Phases}}
	rm -f /run/run-{{.Package}}.phase
{{- end}}
{{- if .Units}}
	for unit in $units; do forget "$unit"; done
	rm -f /run/run-{{.Package}}.units
	reload
{{- end}}
{{- range .Files}}
	drop {{.}}
{{- end}}
{{- range .Links}}
	[ ! -h {{.}} ] || drop {{.}}
{{- end}}
{{- range .Erased}}
	erase {{.}}
{{- end}}
{{- range .Emptied}}
	clear_away {{.}}
{{- end}}
{{- range .Accounts}}
	disown_account {{.}}
{{- end}}
	;;
esac
