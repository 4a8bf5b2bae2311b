each_matches() { # PATTERN AS_WRITTEN: judges the elements of $value
	if [ -n "$why$value" ] && printf '%s\n' "$value" | tr , '\n' | grep -Evqx -e "$1"; then
		rest=$value,
		while [ -z "$why" ]; do
			value=${rest%%,*} rest=${rest#*,}
			matches "$@"
		done
	fi
}
