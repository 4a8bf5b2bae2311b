#!/bin/sh
# Written by recipe. What is upgraded is left as it runs or rests: postinst restarts what runs, and starts nothing else.
set -e
units='{{.Units}}'

for unit in $units; do
	case $1 in
	install) rm -f "/run/run-$unit.keep" ;;
	upgrade) [ ! -e "{{.UnitDir}}$unit" ] || touch "/run/run-$unit.keep" || : ;;
	esac
done
