insane() { # REASON
	printf '%s: %s\n' "$says" "$(printf '%s\n' "$1" | awk 'NR > 1 { printf "; " } { printf "%s", $0 }')" >&2
	exit 100
}
