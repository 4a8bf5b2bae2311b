spread() { # COMMAND...: runs it once its words are parted
	unset IFS
	set +f
	"$@"
}
