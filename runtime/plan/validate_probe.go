package plan

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"recipe/runtime/expr"
)

func (c *checker) probe(at string, p *Probe) {
	set := 0
	if p.TCP != nil {
		set++
		c.tcp(at+".tcp", p.TCP)
	}
	if p.HTTP != nil {
		set++
		c.http(at+".http", p.HTTP)
	}
	if p.Exec != nil {
		set++
		c.command(at+".exec.command", p.Exec.Command)
	}
	if p.Script != nil {
		set++
		c.script(at+".script", p.Script)
	}
	if p.Notify != nil {
		set++
		c.notify(at+".notify", p)
	}
	if p.LogLine != nil {
		set++
		c.logLine(at+".log_line", p)
	}
	if set != 1 {
		c.report(Problem{Path: at, Code: CodeKind, Message: "a probe is exactly one thing", Found: fmt.Sprintf("%d", set)})
	}
	if c.plan.Package != nil && c.plan.Package.Runtime == RuntimeStandalone {
		if err := Portable(p); err != nil {
			field := ".tcp.expect"
			switch {
			case p.Script != nil:
				field = ".script.function"
			case p.Notify != nil:
				field = ".notify.descriptor"
			case p.LogLine != nil:
				field = ".log_line.pattern"
			case p.HTTP != nil:
				field = ".http.expect"
			case len(p.TCP.Exchange) > 0:
				field = ".tcp.exchange"
			}
			c.report(Problem{Path: at + field, Code: CodePortable, Message: "the probe " + err.Error() + ": hosts of a standalone package have nothing else",
				Hint: `package(runtime = "recipe") has recipe itself ask, and depends on it`})
		}
	}
	if p.Role != RoleLiveness {
		c.choice(at+".role", "role of a probe", string(p.Role), Roles()...)
	}
	if p.Heard() {
		c.heard(at, p)
	} else {
		c.between(at+".every", int64(p.Every), 100, longest, showDuration)
		c.between(at+".timeout", int64(p.Timeout), 10, longest, showDuration)
	}
	c.between(at+".failures", int64(p.Failures), 1, 1000, showInt)
	c.between(at+".successes", int64(p.Successes), 1, 1000, showInt)
	c.between(at+".start_within", int64(p.StartWithin), 0, longest, showDuration)
}

// Portable is nil for a probe that plain sh can ask. The error goes on after "the probe".
func Portable(p *Probe) error {
	blind := func(b Bytes) bool { return strings.ContainsRune(string(b), 0) }
	switch {
	case p.Script != nil:
		return errors.New("calls a function, which no shell can")
	case p.Notify != nil && p.Notify.Descriptor > 0:
		return errors.New("waits for a newline on a descriptor, which systemd does not")
	case p.LogLine != nil:
		return errors.New("waits for a line of the daemon's output, which systemd reads and no shell sees")
	case p.HTTP != nil && blind(p.HTTP.Expect), p.TCP != nil && slices.ContainsFunc(p.TCP.Rounds(), func(r Round) bool { return blind(r.Expect) }):
		return errors.New("expects a NUL, which no shell sees")
	}
	return nil
}

// heard holds a probe that asks nothing to what means something for it.
func (c *checker) heard(at string, p *Probe) {
	none := func(field string, value Duration) {
		if value != 0 {
			c.report(Problem{Path: at + field, Code: CodeKind, Message: "this probe asks nothing, but waits for what the daemon says", Found: value.String(), Accepted: "0s"})
		}
	}
	none(".timeout", p.Timeout)
	if p.Role == RoleLiveness {
		c.between(at+".every", int64(p.Every), 100, longest, showDuration)
	} else {
		none(".every", p.Every)
	}
	if p.Role != RoleLiveness && p.Failures != 1 {
		c.report(Problem{Path: at + ".failures", Code: CodeKind, Message: "what the daemon says once comes in time or not", Found: fmt.Sprint(p.Failures), Accepted: "1"})
	}
	if p.Successes != 1 {
		c.report(Problem{Path: at + ".successes", Code: CodeKind, Message: "what the daemon says is said once", Found: fmt.Sprint(p.Successes), Accepted: "1"})
	}
}

// lastReady is the greatest descriptor of readiness: what plain sh can close, and all that s6 is used with.
const lastReady = 9

func (c *checker) notify(at string, p *Probe) {
	if p.Notify.Descriptor == 0 {
		return
	}
	c.between(at+".descriptor", int64(p.Notify.Descriptor), 3, lastReady, showInt)
	if p.Role == RoleLiveness {
		c.report(Problem{Path: at + ".descriptor", Code: CodeKind, Message: "a newline on a descriptor says once that the daemon is ready, and not that it is alive",
			Hint: `role = "startup", or leave descriptor out and have the daemon send WATCHDOG=1`})
	}
}

// notifies holds the notify probes of a service to one of each role, and their descriptor to where no socket is.
func (c *checker) notifies(at string, s *Service) {
	first, sockets := map[Role]string{}, len(s.Listen)
	for i := range s.Probes {
		p := &s.Probes[i]
		if p.Notify == nil {
			continue
		}
		path := fmt.Sprintf("%s.probes[%d].notify", at, i)
		if before, twice := first[p.Role]; twice {
			c.report(Problem{Path: path, Code: CodeDuplicate, Message: "two probes of one role hear the same", Related: []Place{{before, "the first"}}, Hint: "leave one of them out"})
		} else {
			first[p.Role] = path
		}
		if d := p.Notify.Descriptor; d >= 3 && d < 3+sockets {
			c.report(Problem{Path: path + ".descriptor", Code: CodeRange, Message: "one of the service's own sockets is there", Found: fmt.Sprint(d), Accepted: fmt.Sprintf("%d to %d", 3+sockets, lastReady)})
		}
	}
}

func (c *checker) logLine(at string, p *Probe) {
	pattern := p.LogLine.Pattern
	_, err := regexp.Compile(pattern)
	switch {
	case pattern == "":
		c.report(Problem{Path: at + ".pattern", Code: CodeMissing, Message: "every line matches this", Accepted: `a regular expression, as in "listening on port [0-9]+"`})
	case len(pattern) > longestPattern:
		c.report(Problem{Path: at + ".pattern", Code: CodeRange, Message: "the pattern is too long", Found: fmt.Sprintf("%d bytes", len(pattern)), Accepted: fmt.Sprintf("at most %d", longestPattern)})
	case err != nil:
		c.report(Problem{Path: at + ".pattern", Code: CodePattern, Message: "this is no regular expression of RE2: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "), Found: fmt.Sprintf("%q", pattern)})
	}
	if p.Role == RoleLiveness {
		c.report(Problem{Path: at + ".pattern", Code: CodeKind, Message: "a line that was written once does not tell that the daemon is alive", Hint: `role = "startup", and tcp or http for liveness`})
	}
}

// mostRounds and mostBytes bound what a probe asks.
const (
	mostRounds = 32
	mostBytes  = 64 << 10
)

func (c *checker) tcp(at string, t *TCPProbe) {
	c.endpoint(at, Endpoint{t.Host, t.Port, t.Unix, t.TLS})
	single := t.Send != "" || t.Expect != ""
	switch {
	case t.ConnectOnly && (single || len(t.Exchange) > 0):
		p := Problem{Path: at + ".connect_only", Code: CodeKind, Message: "a probe that only connects sends and expects nothing", Hint: "leave connect_only out: an answer says more than a connection"}
		for _, other := range []struct {
			field, is string
			given     bool
		}{{".send", "sent after connecting", t.Send != ""}, {".expect", "expected in the answer", t.Expect != ""}, {".exchange", "sent and expected", len(t.Exchange) > 0}} {
			if other.given {
				p.Related = append(p.Related, Place{at + other.field, other.is})
			}
		}
		c.report(p)
	case single && len(t.Exchange) > 0:
		c.report(Problem{Path: at + ".exchange", Code: CodeKind, Message: "send and expect are one round, and exchange is all of them", Hint: "put the round into exchange"})
	case len(t.Exchange) > mostRounds:
		c.report(Problem{Path: at + ".exchange", Code: CodeRange, Message: "the exchange has too many rounds", Found: fmt.Sprint(len(t.Exchange)), Accepted: fmt.Sprintf("1 to %d", mostRounds)})
	}
	c.short(at+".send", t.Send)
	c.short(at+".expect", t.Expect)
	for i, r := range t.Exchange {
		c.short(fmt.Sprintf("%s.exchange[%d]", at, i), r.Send)
		c.short(fmt.Sprintf("%s.exchange[%d]", at, i), r.Expect)
	}
}

func (c *checker) short(path string, b Bytes) {
	if len(b) > mostBytes {
		c.report(Problem{Path: path, Code: CodeRange, Message: "this is too long for a probe", Found: fmt.Sprintf("%d bytes", len(b)), Accepted: fmt.Sprintf("at most %d", mostBytes)})
	}
}

var (
	methodForm = pattern(`^[A-Z]{1,16}$`)
	headerForm = pattern("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")
)

func (c *checker) http(at string, h *HTTPProbe) {
	c.endpoint(at, Endpoint{h.Host, h.Port, h.Unix, h.TLS})
	if !strings.HasPrefix(h.Path, "/") || strings.ContainsAny(h.Path, " \r\n\x00") {
		c.report(Problem{Path: at + ".path", Code: CodePath, Message: "this is no path of a URL", Found: fmt.Sprintf("%q", h.Path), Accepted: `a text such as "/healthz"`, Hint: urlHint(h.Path)})
	}
	if h.Method != "" && !methodForm().MatchString(h.Method) {
		c.report(Problem{Path: at + ".method", Code: CodeName, Message: "this is no method of HTTP", Found: fmt.Sprintf("%q", h.Method), Accepted: "capital letters, as in GET, HEAD and POST"})
	}
	if h.Method == "HEAD" && h.Expect != "" {
		c.report(Problem{Path: at + ".expect", Code: CodeKind, Message: "the answer to HEAD has no body to expect a text in", Hint: `leave out method, or expect`})
	}
	if len(h.Status) == 0 {
		c.report(Problem{Path: at + ".status", Code: CodeMissing, Message: "no status means healthy", Accepted: "100 to 599"})
	}
	for _, r := range h.Status {
		c.between(at+".status", int64(r.First), 100, 599, showInt)
		if r.Last != r.First {
			c.between(at+".status", int64(r.Last), int64(r.First), 599, showInt)
		}
	}
	seen := map[string]string{}
	for i, header := range h.Headers {
		path := fmt.Sprintf("%s.headers[%d]", at, i)
		if !headerForm().MatchString(header.Name) {
			c.report(Problem{Path: path + ".name", Code: CodeName, Message: "this is no name of a header", Found: fmt.Sprintf("%q", header.Name), Accepted: `letters, digits and '-', as in "Accept"`})
		}
		if strings.ContainsFunc(header.Value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			c.report(Problem{Path: path + ".value", Code: CodeText, Message: "a header is one line without control characters", Found: fmt.Sprintf("%q", header.Value)})
		}
		name := strings.ToLower(header.Name)
		c.unique(path+".name", "header", name, seen)
		if name == "content-length" || name == "transfer-encoding" || name == "connection" {
			c.report(Problem{Path: path + ".name", Code: CodeChoice, Message: "the probe writes this header itself", Found: header.Name, Hint: "leave it out"})
		}
	}
	c.short(at+".body", h.Body)
	c.short(at+".expect", h.Expect)
}

// endpoint judges where a probe connects to: a port or the path of a socket.
func (c *checker) endpoint(at string, e Endpoint) {
	switch {
	case e.Unix.IsZero() && e.Port.IsZero():
		c.report(Problem{Path: at + ".port", Code: CodeMissing, Message: "the probe connects to nothing", Accepted: `a port, or unix = "/run/foo/foo.sock"`})
	case e.Unix.IsZero():
		c.host(at+".host", e.Host)
		c.port(at+".port", e.Port)
	default:
		c.expression(at+".unix", e.Unix, expr.Path)
		if !e.Port.IsZero() {
			c.report(Problem{Path: at + ".unix", Code: CodeKind, Message: "the probe connects to a port or to the path of a socket, and not to both", Hint: "leave one of them out"})
		}
		if e.Host != "" {
			c.report(Problem{Path: at + ".host", Code: CodeKind, Message: "the socket of a path has no host", Hint: "leave host out"})
		}
	}
	if e.TLS == nil {
		return
	}
	if name := e.TLS.ServerName; name != "" {
		c.host(at+".server_name", name)
	}
	if !e.TLS.CA.IsZero() {
		c.expression(at+".ca", e.TLS.CA, expr.Path)
	}
	switch {
	case e.TLS.Insecure && !e.TLS.CA.IsZero():
		c.report(Problem{Path: at + ".insecure", Code: CodeKind, Message: "an insecure probe takes any certificate, and ca says which to take", Hint: "leave insecure out"})
	case !e.TLS.Insecure && e.TLS.ServerName == "" && !e.Unix.IsZero():
		c.report(Problem{Path: at + ".server_name", Code: CodeMissing, Message: "a certificate behind the path of a socket is checked for a name", Hint: `add server_name = "foo.example.org"`})
	}
}

// hostForm takes names, addresses of both kinds, and a zone behind one. It is also part of a URL and of a path in sh.
var hostForm = pattern(`^[A-Za-z0-9:_][A-Za-z0-9.:_-]{0,252}(%[A-Za-z0-9._-]{1,15})?$`)

// host judges where a probe connects to; empty is the loopback address.
func (c *checker) host(path, value string) {
	if value != "" && !hostForm().MatchString(value) {
		c.report(Problem{Path: path, Code: CodeName, Message: "this is no host", Found: fmt.Sprintf("%q", value), Accepted: `a name or an address, as in "127.0.0.1" or "::1"`,
			Hint: "the port and the path are arguments of their own"})
	}
}

var moduleForm = pattern(`^[ -~]{1,512}$`)

// script holds a plan from elsewhere to what can be called: whether it can be read as a program is found when it runs, in
// a process of its own.
func (c *checker) script(at string, s *ScriptProbe) {
	c.scriptText(at, &s.Script)
	c.bindings(at+".arguments", s.Arguments, nil)
}

func (c *checker) scriptText(at string, s *Script) {
	c.form(at+".function", s.Function, variableForm, "the name of a function")
	if len(s.Modules) == 0 {
		c.report(Problem{Path: at + ".function", Code: CodeMissing, Message: "the script has no text"})
	}
	for i, m := range s.Modules {
		path := fmt.Sprintf("%s.modules[%d]", at, i)
		c.form(path+".name", m.Name, moduleForm, "the path of a file")
		c.bindings(path+".names", m.Names, s)
	}
}

func (c *checker) bindings(at string, list []Binding, of *Script) {
	for i, b := range list {
		path := fmt.Sprintf("%s[%d]", at, i)
		c.form(path+".name", b.Name, variableForm, "letters, digits and '_', no digit first")
		switch {
		case b.Value != nil:
			b.Value.each(func(e *expr.Expr) { c.expression(path+".value", *e, anyKind()...) })
		case of == nil || !slices.ContainsFunc(of.Modules, func(m ScriptModule) bool { return m.Name == b.Module }):
			c.report(Problem{Path: path, Code: CodeUndeclared, Message: fmt.Sprintf("the name %q of a script means nothing", b.Name)})
		}
	}
}
