#!/bin/sh
# Written by recipe. Makes accounts, enables the units unless an admin disabled them, starts or restarts them, and
# says whether they are healthy. That they are not fails nothing: systemd goes on trying.
{{with .HookText}}{{.}}
{{end}}set -e
exec </dev/null # nothing asks
{{if .Units}}units='{{.Units}}'
{{end}}
case $1 in
configure | abort-upgrade | abort-remove | abort-deconfigure) ;;
*) exit 0 ;;
esac
{{if .Accounts}}
account() { # USER GROUP HOME: left alone if it is there
	if ! timeout 60 getent group "$2" >/dev/null; then timeout 60 groupadd --system "$2"; fi
	if ! timeout 60 getent passwd "$1" >/dev/null; then
		timeout 60 useradd --system --gid "$2" --home-dir "$3" --no-create-home --shell /usr/sbin/nologin \
			--comment '{{.Mark}}' "$1"
	fi
}
{{range .Accounts}}account {{.}}
{{end}}{{end}}{{if .Owned}}
own() { # PATH OWNER:GROUP MODE, unless the admin decided, removed it or put a link in its place
	if { [ -f "$1" ] || [ -d "$1" ]; } && [ ! -h "$1" ] && ! dpkg-statoverride --list "$1" >/dev/null 2>&1; then
		chown -h "$2" "$1"
		chmod "$3" "$1" # chown takes set-user-id away
	fi
}
{{range .Owned}}own {{.}}
{{end}}{{end}}{{if .Staged}}
stage() { # FILE UNIT: whatever cannot be kept from being started fails the installation
	if [ -e "$1" ] || [ -h "$1" ]; then return 0; fi
	printf 'by: package {{.Package}}\nwhen: %s\nwhy: staged by the package\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$1.new"
	sync "$1.new"
	mv -f "$1.new" "$1"
}
if [ "$1" = configure ] && [ -z "${2-}" ]; then # never before: what was released stays so
{{- range .Staged}}
	stage {{.}}
{{- end}}
fi
{{end}}{{if .Units}}
for unit in $units; do
	timeout 60 deb-systemd-helper unmask "$unit" >/dev/null || :
	if timeout 60 deb-systemd-helper --quiet was-enabled "$unit"; then
		timeout 60 deb-systemd-helper enable "$unit" >/dev/null || :
	else
		timeout 60 deb-systemd-helper update-state "$unit" >/dev/null || :
	fi
done
{{end}}{{if or .Units .Bare}}
gone() { # UNIT that this version does not have
	[ ! -e "{{.UnitDir}}$1" ] || return 0
	[ ! -d /run/systemd/system ] || timeout {{.Patience}} systemctl stop "$1" "${1%.*}.service" || :
	timeout 60 deb-systemd-helper purge "$1" >/dev/null || :
	rm -f "/run/run-$1.keep"
}
if [ "$1" = configure ] && [ -e /run/run-{{.Package}}.units ]; then
	before=$(cat /run/run-{{.Package}}.units)
	for unit in $before; do
{{- if .Units}}
		case " $units " in
		*" $unit "*) ;;
		*) gone "$unit" ;;
		esac
{{- else}}
		gone "$unit"
{{- end}}
	done
	rm -f /run/run-{{.Package}}.units
fi
{{end}}{{if .Units}}
show() { # PROPERTY UNIT
	timeout 10 systemctl show --property="$1" --value "$2" || :
}

verdict() { # UNIT: sets $reason, empty for healthy or not meant to run
	reason=
	state=$(show ActiveState "$1")
	case $state in
	inactive) return ;;
	active) ;;
	*)
		reason="it is ${state:-not known to systemd}"
		return
		;;
	esac
{{- if .Asked}}
	reason=$(timeout 20 recipe probe {{.Asked}} 2>&1) && reason= || reason=${reason:-its probes get no answer}
{{- else}}
	name=${1%.service}
	if [ -x "{{.Lib}}/check-$name" ]; then
		reason=$(timeout 20 "{{.Lib}}/check-$name" once 2>&1) && reason= || reason=${reason:-its probes get no answer}
	elif tr '\0' ' ' 2>/dev/null <"/proc/$(show MainPID "$1")/cmdline" | grep -q "sh /usr/sbin/run-$name "; then
		reason='it is being prepared'
	fi
{{- end}}
}

uptime() { # seconds since the boot: unlike the time of day, nobody sets them back
	cut -d. -f1 /proc/uptime
}

tell() { # UNIT: waits 15 s for it
	until=$(($(uptime) + 15))
	while verdict "$1" && [ -n "$reason" ] && [ "$(uptime)" -lt "$until" ]; do sleep 0.3; done
	[ -n "$reason" ] || return 0
	printf '%s\n' "{{.Package}}: ${1%.service} is not healthy yet: $reason" >&2 # the service's own words may be in it
	timeout 10 journalctl --quiet --no-pager --lines=3 --output=cat --unit="$1" 2>/dev/null | sed 's/^/  /' >&2 || :
	echo "{{.Package}}: see: systemctl status $1; journalctl -u $1" >&2
}

start() { # what the script was called with
	fresh='' running=''
	for unit in $units; do
		# What was unpacked twice and never configured has not been started, whatever preinst saw.
		if [ "$1.${2-}" != configure. ] && [ -e "/run/run-$unit.keep" ]; then running="$running $unit"; else fresh="$fresh $unit"; fi
	done
	timeout 60 systemctl --system daemon-reload || :
	# shellcheck disable=SC2086 # lists of names
	case $1 in
	configure)
		[ -z "$fresh" ] || timeout {{.Patience}} deb-systemd-invoke restart $fresh || :
		[ -z "$running" ] || timeout {{.Patience}} deb-systemd-invoke try-restart $running || :
		;;
	abort-remove) [ -z "$fresh" ] || timeout {{.Patience}} deb-systemd-invoke start $fresh || : ;;
	*) return 0 ;;
	esac
	for unit in $units; do
		touch "/run/run-$unit.keep" || :
		tell "$unit"
	done
}
[ ! -d /run/systemd/system ] || start "$@"
{{end}}{{if .Staged}}
held() { # FILE UNIT
	[ ! -e "$1" ] || echo "{{.Package}}: $2 is not started while $1 is there; to release it: rm $1 && systemctl start $2" >&2
}
if [ "$1" = configure ]; then
{{- range .Staged}}
	held {{.}}
{{- end}}
fi
{{end}}{{if .Phases}}
# What preinst saw, and else what dpkg says: the version that was configured last, in case it was one, also before a removal.
phase=$(cat /run/run-{{.Package}}.phase 2>/dev/null || :)
if [ -z "${2-}" ]; then
	phase=install
elif [ -z "$phase" ] && [ "$2" != '{{.Version}}' ]; then
	phase=upgrade
fi
case $1.after_$phase in
{{- range .Hooks}}
configure.{{.Phase}}) hook {{.Phase}} {{.Seconds}} '{{.Strict}}'{{.Old}} ;;
{{- end}}
*) ;;
esac
rm -f /run/run-{{.Package}}.phase || :
{{end}}
