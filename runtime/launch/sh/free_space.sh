free_space() { # PATH BYTES
	at=$1
	while [ ! -e "$at" ]; do
		at=${at%/*}
		at=${at:-/}
	done
	blocks=$(stat -f -c %a "$at") || insane "the free space of $at cannot be found"
	free=$((blocks * $(stat -f -c %S "$at")))
	[ "$free" -ge "$2" ] || insane "$1 has $free bytes free and needs $2"
}
