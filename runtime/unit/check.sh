now() { # hundredths of a second since the boot, sleep included
	IFS='. ' read -r whole part _ </proc/uptime
	now=$((whole * 100 + 1$part - 100))
}

pause() { # HUNDREDTHS
	if [ "$1" -gt 0 ]; then sleep "$(($1 / 100)).$(($1 / 10 % 10))$(($1 % 10))"; fi
}

ask() { # PROBE SECONDS PORT: sets $reason, empty for healthy. What the service says is not read with root's privileges.
	number=$1 seconds=$2 port=$3
	shift 3
	if [ "$(id -u)" = 0 ]; then
		set -- setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all
	fi
	reason=$({ timeout -s KILL "$seconds" "$@" "$self" exchange "$number" "$port" </dev/null; } 2>/dev/null)
	case $reason in
	ok) reason= ;;
	'') reason="no answer within ${seconds}s" ;;
	esac
}

http() { # PORT HOST PATH STATUS EXPECT
	curl -q -s -S -g -i -N --http1.1 --path-as-is --noproxy '*' -A recipe "http://$2:$1$3" 2>&1 |
		judge "GET http://$2:$1$3" "$4" "$(text "$5")"
}

judge() { # WHAT STATUS EXPECT: says the verdict, then kills the rest of this group, which may be a stream without end
	cr=$(printf '\r') status='' reason='no whole answer'
	while IFS= read -r line; do
		case $line in
		'HTTP/'*) status=${line#* } status=${status%%[!0-9]*} ;;
		"$cr" | '') [ "${status:-0}" -lt 200 ] || break ;; # 1xx announce the answer
		'curl: '*) status='' reason=${line#curl: } ;;
		esac
	done
	if [ -z "$status" ]; then
		printf '%s: %s\n' "$1" "$reason"
	elif [ "$status" != "$2" ]; then
		printf '%s: status %s, wanted %s\n' "$1" "$status" "$2"
	elif [ "$3" = . ]; then
		echo ok
	else
		await "$1" "$3"
	fi
	kill -KILL 0
}

tcp() { # PORT HOST SEND EXPECT: the connection is bash's, since curl reads meaning into some bytes of telnet://
	# shellcheck disable=SC2016
	exec bash -c '
		if { exec 3<>"/dev/tcp/$2/$1"; } 2>/dev/null; then
			printf %b "$3" >&3
			exec "$0" await "${3:+sent $3 to }$2:$1" "$4" <&3
		fi
		echo "connect to $2:$1: refused or not reached"' "$self" "$1" "$2" "$3" "$(text "$4")"
}

connects() { # PORT HOST
	# shellcheck disable=SC2016
	exec bash -c '
		{ exec 3<>"/dev/tcp/$2/$1"; } 2>/dev/null && echo ok || echo "connect to $2:$1: refused or not reached"' bash "$1" "$2"
}

text() { # ESCAPED: the bytes, and a dot that keeps line ends
	printf '%b.' "$1"
}

await() { # WHAT EXPECT-AND-DOT: reads until it is seen, at most 64 KiB
	answer='' wanted=${2%.}
	while piece=$(dd bs=4096 count=1 2>/dev/null | tr '\0' '\1' && echo .) && piece=${piece%.} && [ -n "$piece" ]; do
		answer=$answer$piece
		case $answer in
		*"$wanted"*)
			echo ok
			return
			;;
		esac
		[ "${#answer}" -lt 65536 ] || break
	done
	printf '%s: found %s, wanted %s\n' "$1" "$(shown "$answer")" "$(shown "$wanted")"
}

shown() { # TEXT: its beginning, printable
	printf '"%s"' "$(printf %s "$1" | head -c 80 | tr -c ' -~' '?')"
}

main() {
	pid=$(timeout 10 systemctl show --property=MainPID --value "$unit" 2>/dev/null)
}

preparing() { # whether the service is still its launcher
	main
	case $({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) in
	*"sh $launcher "*) ;;
	*) return 1 ;;
	esac
}

say() { # PRIORITY TEXT: among the words of the service in the journal, else among our own
	printf 'MESSAGE=%s\nPRIORITY=%s\nSYSLOG_IDENTIFIER=check-%s\nOBJECT_SYSTEMD_UNIT=%s\n' "$2" "$1" "$service" "$unit" |
		timeout 10 logger --journald 2>/dev/null || printf '%s\n' "$2"
}

watch() { # PROBE NAME PORT EVERY SECONDS LIMIT FAILURES SUCCESSES START-WITHIN; SECONDS and LIMIT are the timeout, and
	# the times but SECONDS are in hundredths of a second
	number=$1 name=$2 port=$3 every=$4 seconds=$5 limit=$6 most=$7 enough=$8 within=$9
	failures=0 successes=0 seen='' quick=$((every < 50 ? every : 50))
	now
	born=$now due=$now
	while :; do
		now
		[ "$due" -gt "$now" ] || due=$now
		pause $((due - now))
		now
		asked=$now late=$((now - due)) due=$((now + every))
		ask "$number" "$seconds" "$port"
		now
		if [ -z "$reason" ]; then
			failures=0 successes=$((successes + 1))
			if [ -n "$seen" ] || [ "$successes" -lt "$enough" ]; then continue; fi
			due=$((now + 1 + $$ * 7 % every)) # from here on not in step with others
			main
			seen=$pid
			say 6 "$name: pid $pid answers"
			continue
		fi
		successes=0
		# Who was stalled, this host or the service? It proves nothing.
		if [ "$late" -gt 100 ] || [ $((now - asked - limit)) -gt 100 ]; then continue; fi
		if [ -z "$seen" ]; then
			if preparing; then born=$now; fi
			if [ $((now - born)) -lt "$within" ] || [ "$born" = "$now" ]; then
				due=$((asked + quick))
				continue
			fi
		fi
		failures=$((failures + 1))
		say 4 "$name: $reason ($failures of $most)"
		if [ "$failures" -ge "$most" ]; then
			main
			if [ "$pid" = "${seen:-$pid}" ]; then # and no successor
				say 4 "$service is hung: it is killed, to be started anew"
				timeout 10 systemctl kill --signal=KILL "$unit" || say 4 "cannot kill $unit: systemctl ended with $?"
			fi
			now
			born=$now failures=0 seen=''
		fi
	done
}
