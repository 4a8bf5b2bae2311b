fail() { # REASON why $doing cannot be computed
	insane "$doing: $1$remedy"
}
remedy=
