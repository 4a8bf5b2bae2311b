// Package probe asks a service something and judges its answer.
//
// Rules:
//   - A connection alone is not an answer: the kernel accepts for a daemon that hangs. Only a probe that says
//     ConnectOnly takes it for one.
//   - Timeout covers the whole exchange: name look-up, connect, write, read. A slow drip does not prolong it.
//   - An answer is bounded: 64 KiB of it are read, whatever the daemon sends.
//   - A probe leaves neither a connection nor a goroutine behind.
//   - An error says what was asked, of whom, and what was found.
//   - A probe that failed while this very process was stalled proves nothing: Stall.Check returns an *Inconclusive.
//
// Resolve makes a Target of a plan's probe. A kind of probe is one file with one type that implements exchange, and one
// case in Resolve: see tcp.go and http.go. stall.go tells a stall of ours from the daemon's.
//
// Tests: real listeners that answer, refuse, reset, hang, drip and break off; a count of descriptors and goroutines
// after them; a stall on a clock of the tests' own; and a process that is stopped in the midst of a probe.
package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// answerLimit bounds what is read of an answer, in bytes.
const answerLimit = 64 << 10

// Target is a probe with every value known. Targets are comparable: equal ones ask the same and judge alike.
type Target struct {
	Every, Timeout      time.Duration
	Failures, Successes int
	StartWithin         time.Duration

	ask exchange
}

// exchange is one question and what counts as its answer. Its values are comparable.
type exchange interface {
	name() string
	// run asks once. ctx ends at the probe's deadline; within is how long that was, for messages.
	run(ctx context.Context, within time.Duration) error
	// talk is run on a connection that is there.
	talk(conn io.ReadWriter, within time.Duration) error
}

// Resolve computes what the probe asks. The error names what cannot be computed or is out of range.
func Resolve(pr *plan.Probe, env *expr.Env) (*Target, error) {
	t := &Target{
		Every:       pr.Every.Std(),
		Timeout:     pr.Timeout.Std(),
		Failures:    pr.Failures,
		Successes:   pr.Successes,
		StartWithin: pr.StartWithin.Std(),
	}
	switch {
	case pr.TCP != nil:
		port, err := port(pr.TCP.Port, env)
		if err != nil {
			return nil, fmt.Errorf("cannot resolve the tcp probe: %w", err)
		}
		t.ask = tcp{host: host(pr.TCP.Host), port: port, send: pr.TCP.Send, expect: pr.TCP.Expect, connectOnly: pr.TCP.ConnectOnly}
	case pr.HTTP != nil:
		port, err := port(pr.HTTP.Port, env)
		if err != nil {
			return nil, fmt.Errorf("cannot resolve the http probe: %w", err)
		}
		t.ask = web{host: host(pr.HTTP.Host), port: port, path: pr.HTTP.Path, status: pr.HTTP.Status, expect: pr.HTTP.Expect}
	default:
		return nil, errors.New("cannot resolve a probe that is neither tcp nor http")
	}
	return t, nil
}

// Name is what is asked, in short: "tcp 8080" or "http 8080/healthz".
func (t *Target) Name() string { return t.ask.name() }

// Check asks once, within Timeout; nil means healthy. When ctx ends first, the error wraps its error and judges nothing.
// Stall.Check is the same with an eye on stalls of this process.
func (t *Target) Check(ctx context.Context) error {
	timed, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	err := t.ask.run(timed, t.Timeout)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("probe %s was broken off: %w", t.Name(), ctx.Err())
	}
	return err
}

// Judge judges a reply that is given in place of the daemon's: all that it says before it closes the connection. Nothing
// is connected to; nil means healthy.
func (t *Target) Judge(reply []byte) error {
	return t.ask.talk(replay{bytes.NewReader(reply)}, t.Timeout)
}

// replay is a connection to a daemon that has said all it will.
type replay struct{ io.Reader }

func (replay) Write(asked []byte) (int, error) { return len(asked), nil }

func host(name string) string {
	if name == "" {
		return "127.0.0.1"
	}
	return name
}

func port(e expr.Expr, env *expr.Env) (int, error) {
	v, err := e.Eval(env)
	switch {
	case err != nil:
		return 0, err
	case v.Kind != expr.Int:
		return 0, fmt.Errorf("the port is a %s, not a number", v.Kind)
	case v.Int < 1 || v.Int > 65535:
		return 0, fmt.Errorf("the port %d is not between 1 and 65535", v.Int)
	}
	return int(v.Int), nil
}

// dial connects, with the deadline of ctx on everything that is done with the connection afterwards. The caller calls
// hangUp in the end.
func dial(ctx context.Context, host string, port int, within time.Duration) (conn net.Conn, hangUp func(), err error) {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	// Addresses are tried one after another: racing them costs a goroutine and gains nothing on a local service.
	dialer := net.Dialer{KeepAlive: -1, FallbackDelay: -1, Resolver: &net.Resolver{PreferGo: true}}
	conn, err = dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("connect %s: %s", address, why(err, within))
	}
	// With nobody listening on a port of the ephemeral range, a connect may meet itself, and hears its own question.
	if conn.LocalAddr().String() == conn.RemoteAddr().String() {
		conn.Close()
		return nil, nil, fmt.Errorf("connect %s: connection refused", address)
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return conn, func() { stop(); conn.Close() }, nil
}

// timedOut tells a deadline from other errors.
func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// why is the reason alone, without the addresses that net repeats.
func why(err error, within time.Duration) string {
	var errno syscall.Errno
	var dns *net.DNSError
	switch {
	case timedOut(err):
		return "no answer within " + span(within)
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &dns):
		return dns.Err
	}
	return err.Error()
}

// span writes a time as recipes do.
func span(d time.Duration) string { return plan.Duration(d.Milliseconds()).String() }

// excerpt quotes the start of what the daemon said.
func excerpt(answer []byte) string {
	const shown = 60
	if len(answer) > shown {
		return strconv.Quote(string(answer[:shown])) + "..."
	}
	return strconv.Quote(string(answer))
}
