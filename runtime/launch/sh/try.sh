try() { # WHAT COMMAND...: insane, with the last words that the command says, unless it succeeds
	what=$1
	shift
	said=$("$@" 2>&1) || insane "$what: ${said##*: }"
}
