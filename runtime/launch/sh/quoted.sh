quoted() { # TEXT
	printf '"%s"' "$(printf %s "$1" | sed "s/[\\\\\"]/\\\\&/g; s/$tab/\\\\t/g")"
}
tab=$(printf '\t')
