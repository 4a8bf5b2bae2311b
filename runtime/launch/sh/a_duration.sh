a_duration() { # TEXT
	units "$1" 'a duration' 'a whole number and ms, s, m, h or d, as in 10s' ms 1 s 1000 m 60000 h 3600000 d 86400000
}
