read_secret() { # NAME FILE: sets $value from the file, or without one from the credential of that name
	secret=$2 flag="flag \"$1\":"
	if [ -z "$secret" ]; then
		case ${CREDENTIALS_DIRECTORY-} in
		/*) secret=${CREDENTIALS_DIRECTORY%/}/$1 ;;
		esac
		if [ -z "$secret" ] || [ ! -e "$secret" ]; then
			insane "$flag is not set: write $1=@/PATH, the path of a file that holds it, in $flags, or give the service a credential of that name"
		fi
	fi
	if [ ! -e "$secret" ] || [ ! -r "$secret" ]; then insane "$flag the file $secret is not there, or cannot be read"; fi
	[ -f "$secret" ] || insane "$flag the file $secret is not a regular file"
	if [ -n "$2" ]; then
		case $(stat -L -c %u "$secret") in
		0 | "$(id -u)") ;;
		*) insane "$flag the file $secret belongs to another user, who could change it: chown $(id -u) $secret" ;;
		esac
		case $(stat -L -c %a "$secret") in
		0 | *00) ;;
		*) insane "$flag the file $secret can be read or written by others: chmod 600 $secret" ;;
		esac
	fi
	[ "$(wc -c <"$secret")" -le 65536 ] || insane "$flag the file $secret is larger than 64KiB"
	faults=$(bad_bytes "$secret")
	lines=${faults##* } why=
	{ IFS= read -r value; IFS= read -r more; } <"$secret"
	case $faults in
	[0-9]*) why=${faults#*:} && why=${why%%"$newline"*} ;;
	*)
		if [ "$lines" -gt 2 ] || [ -n "$more" ]; then why='it holds more than one line'
		elif [ -z "$value" ]; then why='it is empty'; fi
		;;
	esac
	[ -z "$why" ] || insane "$flag the file $secret: $why"
}
