#!/bin/sh
# Written by recipe. What is upgraded is left as it runs or rests: postinst restarts what runs, and starts nothing else.
{{with .HookText}}{{.}}
{{end}}set -e
{{- if .Units}}
units='{{.Units}}'

for unit in $units; do
	case $1 in
	install) rm -f "/run/run-$unit.keep" ;;
	upgrade) [ ! -e "{{.UnitDir}}$unit" ] || touch "/run/run-$unit.keep" || : ;;
	esac
done
{{- end}}
{{- if .Phases}}

phase=$1
# An installation that was broken off is tried again as an upgrade, though nothing was ever there.
if [ "$phase" = upgrade ] && [ ! -e "${DPKG_ADMINDIR:-/var/lib/dpkg}/info/{{.Package}}.list" ]; then phase=install; fi
if [ -n "${DEBCONF_RECONFIGURE-}" ]; then phase=none; fi # dpkg-reconfigure calls every script as an upgrade does
case $phase in
install | upgrade) echo "$phase" >/run/run-{{.Package}}.phase || : ;;
esac
case before_$phase in
{{- range .Hooks}}
{{.Phase}}) hook {{.Phase}} {{.Seconds}} '{{.Strict}}' ;;
{{- end}}
*) ;;
esac
{{- end}}
