#!/bin/sh
# Written by recipe. What is upgraded is left as it runs or rests: postinst restarts what runs, and starts nothing else.
set -e
services='{{.Services}}'

for service in $services; do
	case $1 in
	install) rm -f "/run/run-$service.keep" ;;
	upgrade) [ ! -e "{{.UnitDir}}$service.service" ] || touch "/run/run-$service.keep" || : ;;
	esac
done
