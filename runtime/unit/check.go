package unit

import (
	_ "embed"
	"fmt"
	"net"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

//go:embed check.sh
var checkFunctions string

// Check writes check-SERVICE, the POSIX sh text that performs the service's probes where nothing of ours is installed,
// or nothing for a service without probes. It needs systemd, coreutils, util-linux, bash for its /dev/tcp, perl-base for
// the socket of a path, curl for probes of HTTP, and openssl for those of TCP that speak TLS.
//
//	check-foo         probes for ever; failures in a row have systemd kill the service's tree
//	check-foo once    asks every probe once: exit code 0 healthy, else 1 and the reasons on stdout
//
// It judges as runtime/probe does, but for what sh cannot: it does not see a NUL in an answer; of a status that was not
// wanted it does not say where to it redirects; of a command it kills the process group, and not what left that; what is
// wrong with a certificate of a probe of TCP it leaves to openssl to say.
func Check(p *plan.Plan, s *plan.Service) ([]byte, error) {
	if len(s.Asked()) == 0 {
		return nil, nil
	}
	c := &checkScript{plan: p, service: s}
	for i := range s.Probes {
		if err := plan.Portable(&s.Probes[i]); err != nil {
			return nil, fmt.Errorf("cannot write the check of %q: probe %d %w", s.Name, i+1, err)
		}
		if !s.Probes[i].Heard() { // systemd hears
			c.probe(i+1, &s.Probes[i])
		}
	}
	functions, values, err := launch.Values(p, s, c.names, c.exprs)
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
	reads, prints := c.lines()
	fmt.Fprintf(&b, `
exchange() { # PROBE VALUE...: says ok, or why not
	number=$1
	shift
	case $number in
%s	esac
}

once() { # PROBE NAME SECONDS WHO VALUE...
	name=$2
	probe=$1 limit=$3 as=$4
	shift 4
	ask "$probe" "$limit" "$as" "$@"
	if [ -n "$reason" ]; then
		printf '%%s: %%s\n' "$name" "$reason"
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
	shift
	exchange "$@"
	exit
	;;
converse)
	shift
	converse "$@"
	exit
	;;
esac

# What the probes need, one a line, as this host's flags have it when the service starts.
values() {
%s%s}
if ! values=$(values); then
	if [ "${1-}" = once ]; then
		printf '%%s\n' "$values"
		exit 1
	fi
	sleep 5 # the launcher says why
	exit
fi
{
%s} <<END
$values
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
`, c.asks.String(), functions, values, prints, reads, c.onces.String(), c.watching(), s.Name)
	return []byte(b.String()), nil
}

// checkScript collects what the probes need. The values of probe N are the variables value_N_1, value_N_2 ..., and the
// parameters of its exchange.
type checkScript struct {
	plan              *plan.Plan
	service           *plan.Service
	names             []string
	exprs             []expr.Expr
	asks, onces       strings.Builder
	startups, watches strings.Builder
}

func (c *checkScript) probe(number int, pr *plan.Probe) {
	q := expr.QuoteShell
	call, exprs := c.exchange(pr)
	var values strings.Builder
	for i, e := range exprs {
		name := fmt.Sprintf("value_%d_%d", number, i+1)
		c.names, c.exprs = append(c.names, name), append(c.exprs, e)
		fmt.Fprintf(&values, " \"$%s\"", name)
	}
	seconds := fmt.Sprintf("%d.%03d", pr.Timeout/1000, pr.Timeout%1000)
	role, watches := "liveness", &c.watches
	switch pr.Role {
	case plan.RoleReadiness:
		role = "readiness"
	case plan.RoleStartup:
		role, watches = "startup", &c.startups
	}
	fmt.Fprintf(&c.asks, "\t%d) %s ;;\n", number, call)
	fmt.Fprintf(watches, "\twatch %d %s %d %s %d %d %d %d %s %s%s &\n", number, q(name(pr)),
		hundredths(pr.Every), seconds, hundredths(pr.Timeout), pr.Failures, pr.Successes, hundredths(pr.StartWithin), role, q(c.who(pr)), values.String())
	fmt.Fprintf(&c.onces, "\tonce %d %s %s %s%s\n", number, q(name(pr)), seconds, q(c.who(pr)), values.String())
}

// watching asks the startup probes first, until each has answered.
func (c *checkScript) watching() string {
	if c.startups.Len() == 0 {
		return c.watches.String()
	}
	return c.startups.String() + "\twait\n" + c.watches.String()
}

// lines are the shell's that print the values and read them again. A path, and what a flag may be, has one line.
func (c *checkScript) lines() (reads, prints string) {
	var r, p strings.Builder
	for _, name := range c.names {
		fmt.Fprintf(&r, "\tIFS= read -r %s\n", name)
		fmt.Fprintf(&p, "\tprintf '%%s\\n' \"$%s\"\n", name)
	}
	if len(c.names) == 0 {
		r.WriteString("\t:\n")
	}
	return r.String(), p.String()
}

// who asks: nobody, but for a command, which is the service's own, and for files that may be the service's own.
func (c *checkScript) who(pr *plan.Probe) string {
	at, socket := pr.Endpoint()
	own := pr.Exec != nil || socket && !at.Unix.IsZero()
	account := c.plan.Account(c.service.User)
	switch {
	case account != nil && (own || at.TLS != nil && !at.TLS.CA.IsZero()):
		return account.Name + ":" + account.Group + ":" + strings.Join(account.Groups, ",")
	case own:
		return ""
	}
	return "65534"
}

// exchange is the call that asks a probe's question, and the values that it takes as parameters.
func (c *checkScript) exchange(pr *plan.Probe) (call string, values []expr.Expr) {
	switch {
	case pr.HTTP != nil:
		return httpExchange(pr.HTTP)
	case pr.TCP != nil:
		return tcpExchange(pr.TCP)
	}
	for _, v := range launch.Environment(c.plan, c.service) {
		values = append(values, expr.Fmt(v.Name+"={}", v.Value))
	}
	return `performs "$@"`, append(values, pr.Exec.Command...)
}

func tcpExchange(t *plan.TCPProbe) (call string, values []expr.Expr) {
	q := expr.QuoteShell
	rounds := ""
	if !t.ConnectOnly {
		for _, r := range t.Rounds() {
			rounds += " " + q(percentB(string(r.Send))) + " " + q(percentB(string(r.Expect)))
		}
	}
	unix := !t.Unix.IsZero()
	values = []expr.Expr{t.Port}
	if unix {
		values[0] = t.Unix
	}
	if t.TLS == nil {
		if unix {
			return `unix "$1"` + rounds, values
		}
		return `tcp "$1" ` + q(loopback(t.Host)) + rounds, values
	}
	at, name := bracketed(t.Host)+":", t.TLS.ServerName
	words := []string{"-connect", q(at) + `"$1"`}
	if unix {
		at, words = "", []string{"-unix", `"$1"`}
	}
	if name == "" {
		name = loopback(t.Host)
	}
	switch {
	case t.TLS.Insecure:
	case net.ParseIP(name) != nil:
		words = append(words, "-verify_return_error", "-verify_ip", q(name))
	default:
		words = append(words, "-verify_return_error", "-verify_hostname", q(name))
	}
	if net.ParseIP(name) != nil {
		words = append(words, "-noservername")
	} else {
		words = append(words, "-servername", q(name))
	}
	if !t.TLS.CA.IsZero() {
		values = append(values, t.TLS.CA)
		words = append(words, "-no-CApath", "-CAfile", `"$2"`)
	}
	return fmt.Sprintf(`tls %s"$1" %d %s%s`, q(at), len(words), strings.Join(words, " "), rounds), values
}

func httpExchange(h *plan.HTTPProbe) (call string, values []expr.Expr) {
	q := expr.QuoteShell
	var options []string
	add := func(words ...string) { options = append(options, words...) }
	header := func(name, value string) {
		if value == "" {
			add("-H", q(name+";"))
		} else {
			add("-H", q(name+": "+value))
		}
	}
	own := map[string]bool{}
	for _, x := range h.Headers {
		own[strings.ToLower(x.Name)] = true
		header(x.Name, x.Value)
	}
	method, scheme := h.Method, "http://"
	if method == "" {
		method = "GET"
	}
	at, port := bracketed(h.Host)+":", `"$1"`
	values = []expr.Expr{h.Port}
	what := ""
	if !h.Unix.IsZero() {
		values[0], at, port, what = h.Unix, "localhost", "", `' of '"$1"`
		add("--unix-socket", `"$1"`)
	}
	url := at
	if t := h.TLS; t != nil {
		scheme = "https://"
		if t.ServerName != "" {
			url = bracketed(t.ServerName)
			if h.Unix.IsZero() {
				url += ":"
				add("--connect-to", q("::"+at)+port)
				if !own["host"] {
					add("-H", q("Host: "+at)+port)
				}
			} else {
				at = url
			}
		}
		if t.Insecure {
			add("-k")
		}
		if !t.CA.IsZero() {
			values = append(values, t.CA)
			add("--cacert", `"$2"`)
		}
	}
	switch {
	case method == "HEAD":
		add("-I")
	case h.Body != "":
		add("-X", method, "--data-binary", "@-", "-H", "Expect:")
		if !own["content-type"] {
			add("-H", "Content-Type:")
		}
	case method != "GET":
		add("-X", method)
	}
	words := []string{"http", q(method+" "+scheme+at) + port + q(h.Path) + what, q(scheme+url) + port + q(h.Path), q(percentB(string(h.Body))), q(h.Status.String()), q(percentB(string(h.Expect)))}
	return strings.Join(append(words, options...), " "), values
}

func loopback(host string) string {
	if host == "" {
		return "127.0.0.1"
	}
	return host
}

// bracketed is a host as it stands before a port.
func bracketed(host string) string {
	if host = loopback(host); strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// name is how the journal calls a probe.
func name(pr *plan.Probe) string {
	switch {
	case pr.HTTP != nil:
		return "http " + pr.HTTP.Path
	case pr.Exec != nil:
		return "exec"
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
