capability() { # NAME NUMBER
	while read -r key set; do
		if [ "$key" = CapBnd: ] && [ $((0x$set >> $2 & 1)) = 1 ]; then return; fi
	done </proc/self/status
	insane "the capability $1 cannot be kept: who starts the service does not have it"
}
