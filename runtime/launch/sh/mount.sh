mount() { # PATH, its links resolved
	at=$(readlink -f "$1")
	if [ ! -e "$1" ] || ! awk '{ print $5 }' /proc/self/mountinfo | grep -qxF -e "$(
		printf %s "$at" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g'
	)"; then
		insane "nothing is mounted at $1: mount it first"
	fi
}
