size() { # BYTES, as text
	n=$1
	value=${n}B
	for unit in 1024KiB 1048576MiB 1073741824GiB 1099511627776TiB; do
		factor=${unit%???}
		if [ "$n" != 0 ] && [ $((n % factor)) = 0 ]; then value=$((n / factor))${unit#"$factor"}; fi
	done
}
