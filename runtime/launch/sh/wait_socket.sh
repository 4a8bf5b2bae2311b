wait_socket() { # LIMIT HUNDREDTHS PATH
	wait_for "$1" "$2" "the socket $3" "the socket $3 took no connection" answers "$3"
}

answers() { # SOCKET: perl is part of every Debian; elsewhere the kernel's list has to do
	if command -v perl >/dev/null; then
		# shellcheck disable=SC2016
		timeout 2 perl -MSocket -MErrno=EPROTOTYPE -e '
			socket(my $s, AF_UNIX, SOCK_STREAM, 0) or exit 1;
			my $to = eval { sockaddr_un($ARGV[0]) } or exit 1;
			exit(connect($s, $to) || $! == EPROTOTYPE ? 0 : 1)' "$1" 2>/dev/null
	else
		[ -S "$1" ] && sed 's/^\([^ ]*  *\)\{7\}//' /proc/net/unix | grep -qxF -e "$1"
	fi
}
