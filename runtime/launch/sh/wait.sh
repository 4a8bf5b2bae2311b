wait_for() { # LIMIT HUNDREDTHS WHAT FAILURE COMMAND...: until the command succeeds
	limit=$1 deadline=$(($(now) + $2)) what=$3 failure=$4 said=
	shift 4
	until "$@"; do
		if [ -z "$said" ]; then
			printf '%s waits for %s\n' "${says:-run-$service: $service}" "$what"
			said=1
		fi
		[ "$(now)" -lt "$deadline" ] || insane "$failure within $limit: see to it, or give it a longer timeout"
		sleep 0.1
	done
}

now() { # in hundredths of a second
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}"
}
