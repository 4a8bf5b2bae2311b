memory() { # BYTES
	available=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
	available=$((${available:-0} * 1024))
	[ "$available" -ge "$1" ] || insane "this host has $available bytes of memory available and needs $1: end what takes it, or give the host more"
}
