package probe

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Scripts calls a function of a plan in a process that has nothing of its own: what it wants of the world it asks serve
// for, by a name and a question. The reason is why the service is not healthy, and empty when it is; an error is why the
// function could not be called to its end.
type Scripts func(ctx context.Context, service string, script *plan.ScriptProbe, serve func(name string, question []byte) ([]byte, error)) (reason, evidence string, err error)

type scripted struct {
	service string
	script  *plan.ScriptProbe
	scripts Scripts
}

func resolveScript(s *plan.Service, pr *plan.ScriptProbe, env *expr.Env, scripts Scripts) (exchange, error) {
	if scripts == nil {
		return nil, errors.New("functions cannot be called here")
	}
	resolved, err := pr.Resolve(env)
	if err != nil {
		return nil, err
	}
	return scripted{s.Name, resolved, scripts}, nil
}

func (p scripted) name() string { return "script " + p.script.Script.Function }

func (p scripted) run(ctx context.Context, within time.Duration) (string, error) {
	return p.call(&desk{ctx: ctx, within: within})
}

// call calls the function, whom the desk serves.
func (p scripted) call(d *desk) (string, error) {
	defer d.close()
	reason, evidence, err := p.scripts(d.ctx, p.service, p.script, d.serve)
	switch {
	case err != nil && timedOut(d.ctx.Err()):
		return "", errors.New("no answer within " + span(d.within))
	case err != nil:
		return "", err
	case reason != "" && evidence != "":
		return "", fmt.Errorf("%s (%s)", reason, evidence)
	case reason != "":
		return "", errors.New(reason)
	}
	return evidence, nil
}

// desk serves what one call of a function wants: sockets, which it holds until the call has ended.
type desk struct {
	ctx     context.Context
	within  time.Duration
	given   *answers // in place of the service, for tests
	sockets []*held
	read    int // bytes, over all sockets
}

type held struct {
	conn   io.ReadWriter // a net.Conn, or replayed
	hangUp func()
	host   string
}

// The bounds of one call.
const (
	mostSockets = 32
	mostRead    = 16 << 20 // bytes
)

func (d *desk) close() {
	for _, h := range d.sockets {
		if h != nil {
			h.hangUp()
		}
	}
}

// serve answers one question, by {"Answer": ...} or {"Fault": TEXT}.
func (d *desk) serve(name string, question []byte) ([]byte, error) {
	var answer any
	var err error
	switch name {
	case "connect":
		answer, err = serving(question, d.connect)
	case "send":
		answer, err = serving(question, d.send)
	case "read":
		answer, err = serving(question, d.receive)
	case "start_tls":
		answer, err = serving(question, d.startTLS)
	case "close":
		answer, err = serving(question, d.hangUp)
	case "udp":
		answer, err = serving(question, d.udp)
	default:
		err = fmt.Errorf("there is nothing to ask for as %q", name)
	}
	told := struct {
		Fault  string
		Answer any
	}{Answer: answer}
	if err != nil {
		told.Fault = err.Error()
	}
	return json.Marshal(told)
}

func serving[Q, A any](question []byte, serve func(Q) (A, error)) (any, error) {
	var q Q
	if err := json.Unmarshal(question, &q); err != nil {
		return nil, errors.New("the question cannot be read")
	}
	return serve(q)
}

type placeAsked struct {
	Host       string
	Port       int
	Unix       string
	TLS        bool
	ServerName string
	CA         string
	Insecure   bool
}

func (d *desk) connect(q placeAsked) (int, error) {
	if len(d.sockets) == mostSockets {
		return 0, fmt.Errorf("connect: a function has at most %d connections", mostSockets)
	}
	host := q.Host
	if host == "" {
		host = "127.0.0.1"
	}
	s := socket{network: "unix", address: q.Unix}
	switch {
	case (q.Unix == "") == (q.Port == 0):
		return 0, errors.New("connect: either port or unix says where to")
	case q.Unix == "" && (q.Port < 1 || q.Port > 65535):
		return 0, fmt.Errorf("connect: the port %d is not between 1 and 65535", q.Port)
	case q.Unix == "":
		s = socket{network: "tcp", address: net.JoinHostPort(host, strconv.Itoa(q.Port))}
	}
	if q.TLS {
		s.tls = &secured{name: q.ServerName, ca: q.CA, insecure: q.Insecure}
		if s.tls.name == "" {
			s.tls.name = host
		}
	}
	if d.given != nil {
		d.sockets = append(d.sockets, &held{&replayed{from: d.given}, func() {}, host})
		return len(d.sockets) - 1, nil
	}
	conn, hangUp, err := s.dial(d.ctx, d.within)
	if err != nil {
		return 0, err
	}
	d.sockets = append(d.sockets, &held{conn, hangUp, host})
	return len(d.sockets) - 1, nil
}

type socketAsked struct{ ID int }

func (d *desk) held(id int) (*held, error) {
	if id < 0 || id >= len(d.sockets) || d.sockets[id] == nil {
		return nil, errors.New("the connection is closed")
	}
	return d.sockets[id], nil
}

func (d *desk) send(q struct {
	ID   int
	Data []byte
}) (bool, error) {
	h, err := d.held(q.ID)
	if err != nil {
		return false, err
	}
	if _, err := h.conn.Write(q.Data); err != nil {
		return false, fmt.Errorf("send %s: %s", excerpt(q.Data), why(err, d.within))
	}
	return true, nil
}

type received struct {
	Data  []byte
	Ended bool
}

func (d *desk) receive(q socketAsked) (r received, err error) {
	h, err := d.held(q.ID)
	if err != nil {
		return r, err
	}
	if d.read >= mostRead {
		return r, fmt.Errorf("more than %d MiB were read", mostRead>>20)
	}
	piece := make([]byte, 32<<10)
	n, err := h.conn.Read(piece)
	d.read += n
	r.Data = piece[:n]
	switch {
	case err == io.EOF:
		r.Ended = true
	case err != nil && n == 0:
		return r, errors.New(why(err, d.within))
	}
	return r, nil
}

func (d *desk) startTLS(q struct {
	ID             int
	ServerName, CA string
	Insecure       bool
}) (bool, error) {
	h, err := d.held(q.ID)
	if err != nil {
		return false, err
	}
	if _, already := h.conn.(*tls.Conn); already {
		return false, errors.New("start_tls: the connection speaks TLS already")
	}
	plain, connected := h.conn.(net.Conn)
	if !connected {
		return true, nil // a reply that is given needs no secrecy
	}
	s := &secured{name: q.ServerName, ca: q.CA, insecure: q.Insecure}
	if s.name == "" {
		s.name = h.host
	}
	conn, err := s.shake(d.ctx, plain, d.within)
	if err != nil {
		return false, fmt.Errorf("start_tls: %w", err)
	}
	h.conn = conn
	return true, nil
}

func (d *desk) hangUp(q socketAsked) (bool, error) {
	h, err := d.held(q.ID)
	if err != nil {
		return false, nil // twice is once
	}
	h.hangUp()
	d.sockets[q.ID] = nil
	return true, nil
}

// udp sends one datagram and waits for another.
func (d *desk) udp(q struct {
	Host string
	Port int
	Data []byte
}) ([]byte, error) {
	if q.Host == "" {
		q.Host = "127.0.0.1"
	}
	if d.given != nil {
		text, ended, err := d.given.next()
		if err != nil || ended {
			return nil, fmt.Errorf("udp: sent %s to %s: no answer within %s", excerpt(q.Data), net.JoinHostPort(q.Host, strconv.Itoa(q.Port)), span(d.within))
		}
		return text, nil
	}
	dialer := net.Dialer{Resolver: &net.Resolver{PreferGo: true}}
	conn, err := dialer.DialContext(d.ctx, "udp", net.JoinHostPort(q.Host, strconv.Itoa(q.Port)))
	if err != nil {
		return nil, fmt.Errorf("udp: %s", why(err, d.within))
	}
	defer conn.Close()
	if deadline, ok := d.ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	stop := context.AfterFunc(d.ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	piece := make([]byte, 64<<10)
	n := 0
	if _, err = conn.Write(q.Data); err == nil {
		n, err = conn.Read(piece)
	}
	if err != nil {
		return nil, fmt.Errorf("udp: sent %s to %s: %s", excerpt(q.Data), conn.RemoteAddr(), why(err, d.within))
	}
	return piece[:n], nil
}
