#!/bin/sh
# Written by recipe. Removing stops; upgrading leaves the services running until postinst restarts them, or stops those
# that the new version has no more.
set -e
exec </dev/null # nothing asks
services='{{.Services}}'

if [ "$1" = upgrade ]; then echo "$services" >/run/run-{{.Package}}.services || :; fi
[ "$1" = remove ] && [ -d /run/systemd/system ] || exit 0
units=''
for service in $services; do
	units="$units $service.service"
	# Should the removal be given up, what runs now is started again and nothing else.
	case $(timeout 10 systemctl show --property=ActiveState --value "$service.service" || :) in
	inactive | failed) touch "/run/run-$service.keep" || : ;;
	*) rm -f "/run/run-$service.keep" || : ;;
	esac
done
# shellcheck disable=SC2086 # a list of names
timeout {{.Patience}} deb-systemd-invoke stop $units || :
for service in $services; do
	if [ "$(timeout 10 systemctl show --property=ActiveState --value "$service.service" || :)" = deactivating ]; then
		timeout 10 systemctl kill --signal=KILL "$service.service" || :
	fi
done
