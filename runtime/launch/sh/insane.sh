insane() { # REASON
	printf 'run-%s: cannot start %s: %s\n' "$service" "$service" "$(printf '%s\n' "$1" | awk 'NR > 1 { printf "; " } { printf "%s", $0 }')"
	sleep "${RECIPE_PAUSE:-5}" 2>/dev/null || sleep 5
	exit 100
}
