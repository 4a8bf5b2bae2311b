a_size() { # TEXT
	units "$1" 'a size' 'a whole number and B, KiB, MiB, GiB or TiB, as in 64MiB' \
		TiB 1099511627776 GiB 1073741824 MiB 1048576 KiB 1024 B 1
}
