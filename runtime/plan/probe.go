package plan

import "recipe/runtime/expr"

// Probe asks the service something and judges its answer, or hears what it says of itself: exactly one of TCP, HTTP, Exec,
// Script, Notify and LogLine is set. What its failures do is its Role's matter. A daemon that has never answered is given
// StartWithin before they count. Successes in a row are an answer. Timeout covers the whole exchange. Of what is heard,
// Timeout is 0, and Every too, but for a liveness probe, which wants a sign of life within it.
type Probe struct {
	TCP         *TCPProbe    `json:"tcp,omitempty"`
	HTTP        *HTTPProbe   `json:"http,omitempty"`
	Exec        *ExecProbe   `json:"exec,omitempty"`
	Script      *ScriptProbe `json:"script,omitempty"`
	Notify      *NotifyProbe `json:"notify,omitempty"`
	LogLine     *LogProbe    `json:"log_line,omitempty"`
	Role        Role         `json:"role,omitempty"`
	Every       Duration     `json:"every"`
	Timeout     Duration     `json:"timeout"`
	Failures    int          `json:"failures"`
	Successes   int          `json:"successes"`
	StartWithin Duration     `json:"start_within"`
}

// Role is what a probe decides.
type Role string

// A liveness probe kills after Failures in a row. A readiness probe makes the service unhealthy after them, and kills
// nothing. A startup probe has to answer before any other is asked, is not asked again then, and kills as liveness does.
const (
	RoleLiveness  Role = ""
	RoleReadiness Role = "readiness"
	RoleStartup   Role = "startup"
)

// Roles are the roles as recipes name them.
func Roles() []string { return []string{"startup", "readiness", "liveness"} }

// TCPProbe connects, sends Send, and reads until Expect has been seen; without an Expect any byte will do. Exchange, in
// their place, is several such rounds on one connection: each looks only at what came after what the last one wanted. A
// connection alone is not an answer: the kernel accepts for a daemon that hangs. ConnectOnly says that it has to do.
type TCPProbe struct {
	Host        string    `json:"host,omitempty"` // with Port
	Port        expr.Expr `json:"port,omitzero"`
	Unix        expr.Expr `json:"unix,omitzero"` // a path, in place of Host and Port
	TLS         *TLS      `json:"tls,omitempty"`
	Send        Bytes     `json:"send,omitempty"`
	Expect      Bytes     `json:"expect,omitempty"`
	Exchange    []Round   `json:"exchange,omitempty"`
	ConnectOnly bool      `json:"connect_only,omitempty"`
}

// Round is one question of several, and what its answer must hold; an empty Expect takes any byte.
type Round struct {
	Send   Bytes `json:"send,omitempty"`
	Expect Bytes `json:"expect,omitempty"`
}

// HTTPProbe sends a request and wants one of Status, and Expect within the first 64 KiB of the body where it is set. An
// empty Method is GET.
type HTTPProbe struct {
	Host    string    `json:"host,omitempty"` // with Port
	Port    expr.Expr `json:"port,omitzero"`
	Unix    expr.Expr `json:"unix,omitzero"` // a path, in place of Host and Port
	TLS     *TLS      `json:"tls,omitempty"`
	Method  string    `json:"method,omitempty"`
	Path    string    `json:"path"`
	Headers []Header  `json:"headers,omitempty"` // by name
	Body    Bytes     `json:"body,omitempty"`
	Status  Statuses  `json:"status"`
	Expect  Bytes     `json:"expect,omitempty"`
}

// Header is a line of a request's head. It replaces one of the probe's own.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// TLS is how the daemon has to show who it is: by a certificate for ServerName, or for the Host where that is empty, of
// an authority in the file CA, or of one that the host trusts where that is absent. Insecure takes any certificate.
type TLS struct {
	ServerName string    `json:"server_name,omitempty"`
	CA         expr.Expr `json:"ca,omitzero"`
	Insecure   bool      `json:"insecure,omitempty"`
}

// ExecProbe runs a command as the service's account, in its environment, that must exit with 0. Its whole tree is killed
// at the end.
type ExecProbe struct {
	Command []expr.Expr `json:"command"`
}

// ScriptProbe calls a function of the recipe's in a process of its own, as the service's account: with the object that
// asks the service, and with Arguments by their names. True is healthy.
type ScriptProbe struct {
	Script    Script    `json:"script"`
	Arguments []Binding `json:"arguments,omitempty"` // by name
}

// NotifyProbe hears what the daemon says of itself by the protocol of sd_notify(3): of startup and of readiness READY=1, of
// liveness WATCHDOG=1. With a Descriptor, from 3 to 9 and behind the service's sockets, it is a newline that the daemon writes
// there once it is ready, as s6 has it.
type NotifyProbe struct {
	Descriptor int `json:"descriptor,omitempty"`
}

// LogProbe waits for a line of the daemon's output in which the Pattern, a regular expression of RE2, matches.
type LogProbe struct {
	Pattern string `json:"pattern"`
}

// Heard reports whether the probe asks nothing, but waits for what the daemon says.
func (p *Probe) Heard() bool { return p.Notify != nil || p.LogLine != nil }

// Notifies reports whether the daemon says of itself that it is ready or alive, and on which descriptor, or 0 where it does so
// by the protocol of sd_notify.
func (s *Service) Notifies() (told bool, descriptor int) {
	for i := range s.Probes {
		if n := s.Probes[i].Notify; n != nil {
			told, descriptor = told || n.Descriptor == 0, max(descriptor, n.Descriptor)
		}
	}
	return told, descriptor
}

// Watchdog is how often the daemon has to say that it is alive, or 0.
func (s *Service) Watchdog() (within Duration) {
	for i := range s.Probes {
		if p := &s.Probes[i]; p.Notify != nil && p.Role == RoleLiveness && (within == 0 || p.Every < within) {
			within = p.Every
		}
	}
	return within
}

// Asked are the service's probes that ask it something.
func (s *Service) Asked() (asked []*Probe) {
	for i := range s.Probes {
		if !s.Probes[i].Heard() {
			asked = append(asked, &s.Probes[i])
		}
	}
	return asked
}

// Endpoint is where a tcp or http probe connects to; ok is false for any other.
func (p *Probe) Endpoint() (at Endpoint, ok bool) {
	switch {
	case p.TCP != nil:
		return Endpoint{p.TCP.Host, p.TCP.Port, p.TCP.Unix, p.TCP.TLS}, true
	case p.HTTP != nil:
		return Endpoint{p.HTTP.Host, p.HTTP.Port, p.HTTP.Unix, p.HTTP.TLS}, true
	}
	return Endpoint{}, false
}

// Endpoint is a socket: of TCP, or of a path where Unix is set.
type Endpoint struct {
	Host string
	Port expr.Expr
	Unix expr.Expr
	TLS  *TLS
}

// Expressions are all that the probe has the host compute.
func (p *Probe) Expressions() []expr.Expr {
	var all []expr.Expr
	if at, ok := p.Endpoint(); ok {
		all = append(all, at.Port, at.Unix)
		if at.TLS != nil {
			all = append(all, at.TLS.CA)
		}
	}
	if p.Exec != nil {
		all = append(all, p.Exec.Command...)
	}
	if p.Script != nil {
		p.Script.each(func(e *expr.Expr) { all = append(all, *e) })
	}
	var present []expr.Expr
	for _, e := range all {
		if !e.IsZero() {
			present = append(present, e)
		}
	}
	return present
}

// Rounds are what a tcp probe asks, one after another.
func (t *TCPProbe) Rounds() []Round {
	if len(t.Exchange) > 0 {
		return t.Exchange
	}
	return []Round{{t.Send, t.Expect}}
}
