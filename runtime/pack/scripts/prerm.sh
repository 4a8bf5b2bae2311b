#!/bin/sh
# Written by recipe. Removing stops; upgrading leaves the services running until postinst restarts them, or stops those
# that the new version has no more.
{{with .HookText}}{{.}}
{{end}}set -e
exec </dev/null # nothing asks
{{- if .Hooks}}
case $1 in
{{- range .Hooks}}
remove) hook {{.Phase}} {{.Seconds}} '{{.Strict}}'{{.Old}} ;;
{{- end}}
esac
{{- end}}
{{- if .Units}}
units='{{.Units}}'

if [ "$1" = upgrade ]; then echo "$units" >/run/run-{{.Package}}.units || :; fi
[ "$1" = remove ] && [ -d /run/systemd/system ] || exit 0
stops=$units
for unit in $units; do
	case $unit in *.timer) stops="$stops ${unit%.timer}.service" ;; esac # a run under way
	[ ! -e "{{.UnitDir}}${unit%.*}.socket" ] || stops="$stops ${unit%.*}.socket"
	# Should the removal be given up, what runs now is started again and nothing else.
	case $(timeout 10 systemctl show --property=ActiveState --value "$unit" || :) in
	inactive | failed) touch "/run/run-$unit.keep" || : ;;
	*) rm -f "/run/run-$unit.keep" || : ;;
	esac
done
# shellcheck disable=SC2086 # a list of names
timeout {{.Patience}} deb-systemd-invoke stop $stops || :
# shellcheck disable=SC2086
for unit in $stops; do
	if [ "$(timeout 10 systemctl show --property=ActiveState --value "$unit" || :)" = deactivating ]; then
		timeout 10 systemctl kill --signal=KILL "$unit" || :
	fi
done
{{- end}}
