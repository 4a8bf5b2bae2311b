package plan

import (
	"fmt"
	"net"
	"reflect"
	"slices"

	"recipe/runtime/expr"
)

// Socket is one that a service finds open: its supervisor or init listens, and hands it on, so that a restart refuses no
// connection. Either Port is set, on Host or on every address without one, or Path. Mode, owner and group are of a path.
type Socket struct {
	Name    string     `json:"name"` // in LISTEN_FDNAMES
	Type    SocketType `json:"type"`
	Host    string     `json:"host,omitempty"`
	Port    expr.Expr  `json:"port,omitzero"`
	Path    expr.Expr  `json:"path,omitzero"`
	Mode    Mode       `json:"mode,omitempty"`
	Owner   string     `json:"owner,omitempty"`
	Group   string     `json:"group,omitempty"`
	Backlog int        `json:"backlog,omitempty"` // connections that wait to be accepted; of a stream
}

// SocketType is how a socket carries data.
type SocketType string

// Connections, as of TCP, or single messages, as of UDP.
const (
	Stream   SocketType = "stream"
	Datagram SocketType = "datagram"
)

// SocketTypes lists them, the default first.
func SocketTypes() []SocketType { return []SocketType{Stream, Datagram} }

// DefaultBacklog is what current kernels allow at most by default (net.core.somaxconn).
const DefaultBacklog = 4096

// MostSockets bounds those of one service: their descriptors begin at 3.
const MostSockets = 32

// MostShellSockets bounds those of a service with run steps that sh launches: it closes descriptors up to 9.
const MostShellSockets = 7

// PortableSockets is nil for a service whose sockets plain sh can keep from its run steps. The error goes on after the service.
func (s *Service) PortableSockets() error {
	if len(s.Listen) > MostShellSockets && slices.ContainsFunc(s.Prepare, func(step Step) bool { return step.Run != nil }) {
		return fmt.Errorf("has %d sockets, and run steps, from which sh keeps %d at most", len(s.Listen), MostShellSockets)
	}
	return nil
}

func (c *checker) sockets(at string, s *Service) {
	if pkg := c.plan.Package; pkg != nil && pkg.Runtime == RuntimeStandalone && pkg.Style != StyleBare {
		if err := s.PortableSockets(); err != nil {
			c.report(Problem{Path: at + ".listen", Code: CodePortable, Message: "a service of a standalone package " + err.Error(),
				Hint: `give it fewer sockets or no run step, or make the package's runtime "recipe"`})
		}
	}
	if len(s.Listen) > MostSockets {
		c.report(Problem{Path: at + ".listen", Code: CodeRange, Message: "there are too many sockets", Found: fmt.Sprint(len(s.Listen)), Accepted: fmt.Sprintf("at most %d", MostSockets)})
	}
	seen := map[string]string{}
	for i := range s.Listen {
		place := fmt.Sprintf("%s.listen[%d]", at, i)
		c.name(place+".name", s.Listen[i].Name)
		c.unique(place+".name", "socket", s.Listen[i].Name, seen)
		c.socket(place, &s.Listen[i])
	}
	for i, step := range s.Prepare {
		if step.RequirePortFree == nil {
			continue
		}
		for _, socket := range s.Listen {
			if socket.Type == Stream && !socket.Port.IsZero() && reflect.DeepEqual(socket.Port, step.RequirePortFree.Port) {
				c.report(Problem{Path: fmt.Sprintf("%s.prepare[%d].require_port_free.port", at, i), Code: CodeKind,
					Message: fmt.Sprintf("the port is that of the service's own socket %q, which is open before the step", socket.Name),
					Hint:    "leave the step out: a port that is taken is said, and tried again, by whoever opens the socket"})
			}
		}
	}
}

// fixed refuses what a unit cannot say: systemd listens for a standalone package, before anything of it runs.
func (c *checker) fixed(at string, s *Socket) {
	pkg := c.plan.Package
	if pkg == nil || pkg.Runtime != RuntimeStandalone || pkg.Style == StyleBare {
		return
	}
	field := ".port"
	if !s.Path.IsZero() {
		field = ".path"
	}
	if !s.Port.IsZero() && !s.Port.Constant() || !s.Path.IsZero() && s.Path.Op != expr.OpPath {
		c.report(Problem{Path: at + field, Code: CodePortable, Message: "systemd listens for a standalone package, and knows neither flags nor the host",
			Hint: "give the socket a port or a path that is fixed, or write package(runtime = \"recipe\"), by which recipe itself listens"})
	}
}

func (c *checker) socket(at string, s *Socket) {
	c.fixed(at, s)
	c.choice(at+".type", "type of a socket", string(s.Type), string(Stream), string(Datagram))
	if s.Port.IsZero() == s.Path.IsZero() {
		c.report(Problem{Path: at, Code: CodeMissing, Message: "a socket has a port or a path, and not both", Accepted: `port = 8080, or path = "/run/foo/foo.sock"`})
		return
	}
	if s.Type == Stream {
		c.between(at+".backlog", int64(s.Backlog), 1, 65535, showInt)
	} else if s.Backlog != 0 {
		c.report(Problem{Path: at + ".backlog", Code: CodeKind, Message: "no connection waits at a datagram socket", Hint: "leave backlog out"})
	}
	if !s.Port.IsZero() {
		c.port(at+".port", s.Port)
		if s.Host != "" && net.ParseIP(s.Host) == nil {
			c.report(Problem{Path: at + ".host", Code: CodeName, Message: "this is no address to listen on", Found: fmt.Sprintf("%q", s.Host), Accepted: `an address, as in "127.0.0.1" or "::1"`, Hint: "leave it out to listen on every address"})
		}
		if s.Mode != 0 || s.Owner != "" || s.Group != "" {
			c.report(Problem{Path: at + ".mode", Code: CodeKind, Message: "a port has neither a mode nor an owner", Hint: "leave mode, owner and group out, or give a path"})
		}
		return
	}
	c.expression(at+".path", s.Path, expr.Path)
	if s.Path.Op == expr.OpPath && len(s.Path.Text) > mostSocketPath {
		c.report(Problem{Path: at + ".path", Code: CodePath, Message: "the path is too long for a socket", Found: fmt.Sprintf("%d bytes", len(s.Path.Text)), Accepted: fmt.Sprintf("at most %d", mostSocketPath)})
	}
	c.account(at+".owner", s.Owner)
	c.account(at+".group", s.Group)
	if s.Mode == 0 {
		c.report(Problem{Path: at + ".mode", Code: CodeRange, Message: "nobody may connect to a socket of this mode", Accepted: "0o600 or 0o660, say"})
	}
	if s.Host != "" {
		c.report(Problem{Path: at + ".host", Code: CodeKind, Message: "a path has no host", Hint: "leave host out"})
	}
}

// mostSocketPath is what the kernel's address holds before its final NUL (unix(7)).
const mostSocketPath = 107
