// Package probe asks a service something and judges its answer.
//
// Rules:
//   - A connection alone is not an answer: the kernel accepts for a daemon that hangs. Only a probe that says
//     ConnectOnly takes it for one.
//   - Timeout covers the whole exchange: name look-up, connect, write, read. A slow drip does not prolong it.
//   - An answer is bounded: 64 KiB of it are read, whatever the daemon sends.
//   - A probe leaves neither a connection nor a goroutine nor a process behind.
//   - An error says what was asked, of whom, and what was found.
//   - A probe that failed while this very process was stalled proves nothing: Stall.Check returns an *Inconclusive.
//
// Resolve makes a Target of a plan's probe. A kind of probe is one file with one type that implements exchange, and one
// case in Resolve: see tcp.go, http.go, aside.go for commands, and script.go for functions, which are called in a process
// that asks for everything. heard.go has what is said without a question: package driver hears it. socket.go connects, with or without TLS. stall.go tells a stall of ours from the daemon's. judge.go
// has each of them judge what a test gives in place of a service.
//
// Tests: real listeners that answer, refuse, reset, hang, drip and break off; a count of descriptors and goroutines
// after them; a stall on a clock of the tests' own; and a process that is stopped in the midst of a probe.
package probe

import (
	"context"
	"errors"
	"fmt"
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

// Target is a probe with every value known.
type Target struct {
	Every, Timeout      time.Duration
	Failures, Successes int
	StartWithin         time.Duration

	ask exchange
}

// exchange is one question and what counts as its answer.
type exchange interface {
	name() string
	// run asks once, and tells what it saw of a healthy service, if that says something. ctx ends at the probe's deadline;
	// within is how long that was, for messages.
	run(ctx context.Context, within time.Duration) (evidence string, err error)
	// replay is run with what is given in place of the service.
	replay(g Given, within time.Duration) error
}

// Resolve computes what a probe of the service asks. The error names what cannot be computed or is out of range. scripts is
// nil where functions cannot be called.
func Resolve(p *plan.Plan, s *plan.Service, pr *plan.Probe, env *expr.Env, scripts Scripts) (*Target, error) {
	t := &Target{
		Every:       pr.Every.Std(),
		Timeout:     pr.Timeout.Std(),
		Failures:    pr.Failures,
		Successes:   pr.Successes,
		StartWithin: pr.StartWithin.Std(),
	}
	kind, err := "", error(nil)
	switch {
	case pr.TCP != nil:
		kind = "tcp"
		t.ask, err = resolveTCP(pr, env)
	case pr.HTTP != nil:
		kind = "http"
		t.ask, err = resolveHTTP(pr, env)
	case pr.Exec != nil:
		kind = "exec"
		t.ask, err = resolveExec(p, s, pr.Exec, env)
	case pr.Script != nil:
		kind = "script"
		t.ask, err = resolveScript(s, pr.Script, env, scripts)
	case pr.LogLine != nil:
		kind = "log_line"
		t.ask, err = resolveLine(pr)
	default:
		return nil, errors.New("cannot resolve a probe that asks nothing")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot resolve the %s probe: %w", kind, err)
	}
	return t, nil
}

// Name is what is asked, in short: "tcp 8080" or "http 8080/healthz".
func (t *Target) Name() string { return t.ask.name() }

// Check asks once, within Timeout; nil means healthy. When ctx ends first, the error wraps its error and judges nothing.
// Stall.Check is the same with an eye on stalls of this process. The evidence is a line about a healthy service, often
// empty.
func (t *Target) Check(ctx context.Context) (evidence string, err error) {
	timed, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	evidence, err = t.ask.run(timed, t.Timeout)
	if err != nil && ctx.Err() != nil {
		return "", fmt.Errorf("probe %s was broken off: %w", t.Name(), ctx.Err())
	}
	return evidence, err
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
