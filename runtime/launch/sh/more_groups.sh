more_groups() { # GROUP...: besides those that the host gives the account
	[ -n "$account" ] || return 0
	for group in "$@"; do
		number /etc/group "$group" 3 >/dev/null || insane "there is no group \"$group\" on this host"
	done
	account_groups=--groups=$({
		number /etc/passwd "$account" 4
		awk -F: -v user="$account" '("," $4 ",") ~ ("," user ",") { print $3 }' /etc/group
		for group in "$@"; do number /etc/group "$group" 3; done
	} | awk '!seen[$1]++ { printf "%s%s", comma, $1; comma = "," }')
}
