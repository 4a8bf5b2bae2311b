matches() { # PATTERN AS_WRITTEN: judges $value
	if [ -z "$why" ] && ! printf '%s\n' "$value" | grep -Eqx -e "$1"; then why="$(quoted "$value") does not match $2"; fi
}
