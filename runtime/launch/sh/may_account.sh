may() { # TEST PATH: asked as the account
	if [ -n "$account" ]; then
		# shellcheck disable=SC2016
		"$setpriv" --reuid "$account_uid" --regid "$account_gid" "$account_groups" sh -c 'test "$1" "$2"' sh "$1" "$2"
	else
		test "$1" "$2"
	fi
}
