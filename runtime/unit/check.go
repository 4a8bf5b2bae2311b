package unit

import (
	_ "embed"
	"fmt"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

//go:embed check.sh
var checkFunctions string

// Check writes check-SERVICE, the POSIX sh text that performs the service's probes where nothing of ours is installed,
// or nothing for a service without probes. It needs systemd, coreutils, util-linux, bash for its /dev/tcp, and curl for
// probes of HTTP.
//
//	check-foo         probes for ever; failures in a row have systemd kill the service's tree
//	check-foo once    asks every probe once: exit code 0 healthy, else 1 and the reasons on stdout
//
// It judges as runtime/probe does, but for what sh cannot: it does not see a NUL in an answer, and of a status that was
// not wanted it does not say where to it redirects.
func Check(p *plan.Plan, s *plan.Service) ([]byte, error) {
	if len(s.Probes) == 0 {
		return nil, nil
	}
	var names []string
	var ports []expr.Expr
	var asks, watches, onces strings.Builder
	for i := range s.Probes {
		pr := &s.Probes[i]
		e, port := exchange(pr)
		if e == "" {
			return nil, fmt.Errorf("cannot write the check of %q: probe %d expects a NUL, which no shell sees", s.Name, i+1)
		}
		names, ports = append(names, fmt.Sprintf("port_%d", i+1)), append(ports, port)
		fmt.Fprintf(&asks, "\t%d) %s ;;\n", i+1, e)
		q := expr.QuoteShell
		seconds := fmt.Sprintf("%d.%03d", pr.Timeout/1000, pr.Timeout%1000)
		fmt.Fprintf(&watches, "\twatch %d %s \"$%s\" %d %s %d %d %d %d &\n", i+1, q(name(pr)), names[i],
			hundredths(pr.Every), seconds, hundredths(pr.Timeout), pr.Failures, pr.Successes, hundredths(pr.StartWithin))
		fmt.Fprintf(&onces, "\tonce %d %s %s \"$%s\"\n", i+1, q(name(pr)), seconds, names[i])
	}
	functions, values, err := launch.Values(p, s, names, ports)
	if err != nil {
		return nil, fmt.Errorf("cannot write the check of %q: %w", s.Name, err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# check-%[1]s [once]: asks %[1]s what its probes ask. Without "once" it does so for ever, and what fails too often in a row
# has systemd kill %[1]s, which starts it anew. Written by recipe; edit the recipe instead.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
service=%[1]s unit=%[1]s.service launcher=%[2]s root=
self=$(readlink -f "$0")

`, s.Name, Launcher(s))
	b.WriteString(checkFunctions)
	fmt.Fprintf(&b, `
exchange() { # PROBE PORT: says ok, or why not
	case $1 in
%s	esac
}

once() { # PROBE NAME SECONDS PORT
	ask "$1" "$3" "$4"
	if [ -n "$reason" ]; then
		printf '%%s: %%s\n' "$2" "$reason"
		unhealthy=1
	fi
}

insane() { # REASON
	printf '%%s\n' "$1"
	exit 1
}

%s
case ${1-} in
exchange)
	exchange "$2" "$3"
	exit
	;;
await)
	await "$2" "$3"
	exit
	;;
esac

# The ports, as this host's flags have them when the service starts.
values() {
%s	echo "%s"
}
if ! ports=$(values); then
	if [ "${1-}" = once ]; then
		printf '%%s\n' "$ports"
		exit 1
	fi
	sleep 5 # the launcher says why
	exit
fi
read -r %s <<END
$ports
END

case ${1-} in
once)
	unhealthy=0
%s	exit "$unhealthy"
	;;
'')
%s	wait
	;;
*)
	echo 'usage: check-%s [once]' >&2
	exit 2
	;;
esac
`, asks.String(), functions, values, "$"+strings.Join(names, " $"), strings.Join(names, " "), onces.String(), watches.String(), s.Name)
	return []byte(b.String()), nil
}

// exchange is the call that asks a probe's question, $2 being the port; "" if a shell cannot.
func exchange(pr *plan.Probe) (call string, port expr.Expr) {
	q := expr.QuoteShell
	if h := pr.HTTP; h != nil {
		if strings.ContainsRune(h.Expect, 0) {
			return "", port
		}
		host := loopback(h.Host)
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return fmt.Sprintf(`http "$2" %s %s %d %s`, q(host), q(h.Path), h.Status, q(percentB(h.Expect))), h.Port
	}
	t := pr.TCP
	switch {
	case t.ConnectOnly:
		return `connects "$2" ` + q(loopback(t.Host)), t.Port
	case strings.ContainsRune(t.Expect, 0):
		return "", port
	}
	return fmt.Sprintf(`tcp "$2" %s %s %s`, q(loopback(t.Host)), q(percentB(t.Send)), q(percentB(t.Expect))), t.Port
}

func loopback(host string) string {
	if host == "" {
		return "127.0.0.1"
	}
	return host
}

// name is how the journal calls a probe.
func name(pr *plan.Probe) string {
	if pr.HTTP != nil {
		return "http " + pr.HTTP.Path
	}
	return "tcp"
}

// hundredths of a second, rounded up: what /proc/uptime counts.
func hundredths(d plan.Duration) int64 { return (int64(d) + 9) / 10 }

// percentB writes bytes as printf's %b reads them.
func percentB(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c >= 0x7f || c == '\\':
			fmt.Fprintf(&b, `\0%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
