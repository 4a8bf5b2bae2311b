writable() { # PATH. For root busybox does not see a file system that is mounted read-only.
	[ -e "$1" ] || insane "there is no $1 to write to"
	if may -w "$1" && { [ ! -d "$1" ] || may -x "$1"; }; then return 0; fi
	insane "$1 is not writable${account:+ for \"$account\"}: see to its owner and mode, and to whether its file system is mounted read-only"
}
