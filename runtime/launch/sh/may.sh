account=''
may() { # TEST PATH
	test "$1" "$2"
}
