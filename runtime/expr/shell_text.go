package expr

// shellText is a piece of the script that stands before the expressions which use it.
type shellText struct {
	name  string
	needs []string
	text  string
}

// The order is that of the script. Nothing here overflows, since C leaves open what happens then: bounds are compared
// first. Numbers are computed from variables, never from their text, because dash cannot read the least number there.
var shellFunctions = []shellText{
	{name: "bounds", text: `most=9223372036854775807 least=$((-most - 1))
`},
	{name: "fits", text: `fits() { # TRUTH
	[ "$1" = 1 ] || fail 'the result does not fit in 64 bits'
}
`},
	{name: "divides", text: `divides() {
	[ "$1" != 0 ] || fail 'division by zero'
}
`},
	{name: "add", needs: []string{"bounds", "fits"}, text: `add() {
	a=$1 b=$2
	if [ "$b" -ge 0 ]; then fits $((a <= most - b)); else fits $((a >= least - b)); fi
	value=$((a + b))
}
`},
	{name: "sub", needs: []string{"bounds", "fits"}, text: `sub() {
	a=$1 b=$2
	if [ "$b" -ge 0 ]; then fits $((a >= least + b)); else fits $((a <= most + b)); fi
	value=$((a - b))
}
`},
	{name: "mul", needs: []string{"bounds", "fits"}, text: `mul() {
	a=$1 b=$2
	if [ "$b" -gt 0 ]; then
		fits $((a >= least / b && a <= most / b))
	elif [ "$b" -lt -1 ]; then
		fits $((a >= most / b && a <= least / b))
	elif [ "$b" = -1 ]; then
		fits $((a != least))
	fi
	value=$((a * b))
}
`},
	{name: "div", needs: []string{"bounds", "fits", "divides"}, text: `div() { # rounds down
	a=$1 b=$2
	divides "$b"
	if [ "$b" = -1 ]; then fits $((a != least)); fi
	value=$((a / b - (a % b != 0 && (a < 0) != (b < 0))))
}
`},
	{name: "mod", needs: []string{"divides"}, text: `mod() { # with the sign of B
	a=$1 b=$2
	divides "$b"
	value=0
	if [ "$b" != -1 ]; then value=$((a % b)); fi
	if [ $((value != 0 && (value < 0) != (b < 0))) = 1 ]; then value=$((value + b)); fi
}
`},
	{name: "min", text: `min() {
	value=$1
	for n in "$@"; do [ "$n" -ge "$value" ] || value=$n; done
}
`},
	{name: "max", text: `max() {
	value=$1
	for n in "$@"; do [ "$n" -le "$value" ] || value=$n; done
}
`},
	{name: "clamp", text: `clamp() { # VALUE LOW HIGH
	[ "$2" -le "$3" ] || fail "clamp's low bound $2 is above its high bound $3"
	value=$1
	[ "$value" -ge "$2" ] || value=$2
	[ "$value" -le "$3" ] || value=$3
}
`},
	{name: "join", text: `join() { # LIST SEPARATOR
	value='' rest=$1
	while [ -n "$rest" ]; do
		value=$value${value:+"$2"}${rest%%,*}
		case $rest in
		*,*) rest=${rest#*,} ;;
		*) rest='' ;;
		esac
	done
}
`},
	{name: "duration", text: `duration() { # MILLISECONDS, as text
	n=$1
	if [ $((n % 1000)) != 0 ]; then value=${n}ms
	elif [ $((n % 60000)) != 0 ] || [ "$n" = 0 ]; then value=$((n / 1000))s
	elif [ $((n % 3600000)) != 0 ]; then value=$((n / 60000))m
	else value=$((n / 3600000))h; fi
}
`},
}

// nproc would heed variables of OpenMP; the launcher's environment is not the daemon's.
var shellFacts = []shellText{
	{name: "host_cpus", text: `unset OMP_NUM_THREADS OMP_THREAD_LIMIT
host_cpus=$(nproc)
`},
	{name: "host_memory", text: `while read -r key n _; do
	if [ "$key" = MemTotal: ]; then host_memory=$((n * 1024)); fi
done </proc/meminfo
`},
	{name: "host_name", text: `host_name=$(uname -n)
`},
	{name: "host_arch", text: `host_arch=$(uname -m)
`},
}
