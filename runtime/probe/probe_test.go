package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func TestResolveComputesThePort(t *testing.T) {
	t.Parallel()
	env := &expr.Env{Flags: map[string]expr.Value{"port": {Kind: expr.Int, Int: 8080}, "level": {Kind: expr.Text, Text: "debug"}}}
	flag := expr.Call(expr.OpAdd, expr.FlagOf("port"), expr.IntOf(1))
	for _, test := range []struct {
		probe plan.Probe
		want  string // the name, or the error
	}{
		{plan.Probe{TCP: &plan.TCPProbe{Port: flag}}, "tcp 8081"},
		{plan.Probe{HTTP: &plan.HTTPProbe{Port: flag, Path: "/healthz"}}, "http 8081/healthz"},
		{plan.Probe{TCP: &plan.TCPProbe{Port: expr.IntOf(0)}}, "cannot resolve the tcp probe: the port 0 is not between 1 and 65535"},
		{plan.Probe{HTTP: &plan.HTTPProbe{Port: expr.IntOf(65536)}}, "cannot resolve the http probe: the port 65536 is not between 1 and 65535"},
		{plan.Probe{TCP: &plan.TCPProbe{Port: expr.FlagOf("level")}}, "cannot resolve the tcp probe: the port is a text, not a number"},
		{plan.Probe{TCP: &plan.TCPProbe{Port: expr.FlagOf("none")}}, `cannot resolve the tcp probe: the flag "none" has no value`},
		{plan.Probe{}, "cannot resolve a probe that asks nothing"},
	} {
		target, err := Resolve(&plan.Plan{}, &plan.Service{}, &test.probe, env, nil)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = target.Name()
		}
		if got != test.want {
			t.Errorf("got %q, wanted %q", got, test.want)
		}
	}
}

func TestCheckThatIsBrokenOffJudgesNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, func(net.Conn) { <-t.Context().Done() })
	target := s.tcp(t, plan.TCPProbe{Send: "PING"}, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := target.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestProbeLeavesNothingBehind(t *testing.T) {
	answer := serve(t, func(c net.Conn) {
		if line(c) == "PING" {
			c.Write([]byte("PONG\r\n"))
		} else {
			c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 1000)))
		}
	})
	silent := backlog(t)
	targets := []*Target{
		answer.tcp(t, plan.TCPProbe{Send: "PING\r\n", Expect: "PONG"}, time.Second),
		answer.tcp(t, plan.TCPProbe{Send: "PING\r\n", Expect: "never"}, time.Second),
		answer.http(t, plan.HTTPProbe{Path: "/", Status: plan.Status(200)}, time.Second),
		answer.http(t, plan.HTTPProbe{Path: "/", Status: plan.Status(200), Expect: "never"}, time.Second),
		silent.tcp(t, plan.TCPProbe{}, 20*time.Millisecond),
		silent.tcp(t, plan.TCPProbe{ConnectOnly: true}, time.Second),
		silent.http(t, plan.HTTPProbe{Path: "/", Status: plan.Status(200)}, 20*time.Millisecond),
		refusing(t).tcp(t, plan.TCPProbe{}, time.Second),
	}
	stall := NewStall(nil)
	all := func() {
		for _, target := range targets {
			stall.Check(t.Context(), target, nil)
		}
	}
	all() // whatever is opened once for all
	before, goroutines := descriptors(t), runtime.NumGoroutine()
	for range 20 {
		all()
	}
	deadline := time.Now().Add(time.Minute)
	for descriptors(t) > before || runtime.NumGoroutine() > goroutines {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors of %d, %d goroutines of %d", descriptors(t), before, runtime.NumGoroutine(), goroutines)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// server is where a listener listens.
type server struct{ port int }

// serve answers each connection by f, one at a time, and closes it then.
func serve(t *testing.T, f func(net.Conn)) server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
	return server{l.Addr().(*net.TCPAddr).Port}
}

// backlog listens as a stopped daemon does: the kernel accepts, nobody answers.
func backlog(t *testing.T) server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return server{l.Addr().(*net.TCPAddr).Port}
}

// refusing is a port that nobody listens on.
func refusing(t *testing.T) server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return server{l.Addr().(*net.TCPAddr).Port}
}

func (s server) tcp(t *testing.T, p plan.TCPProbe, timeout time.Duration) *Target {
	t.Helper()
	p.Port = expr.IntOf(int64(s.port))
	return resolve(t, plan.Probe{TCP: &p, Timeout: plan.Duration(timeout.Milliseconds())})
}

func (s server) http(t *testing.T, p plan.HTTPProbe, timeout time.Duration) *Target {
	t.Helper()
	p.Port = expr.IntOf(int64(s.port))
	return resolve(t, plan.Probe{HTTP: &p, Timeout: plan.Duration(timeout.Milliseconds())})
}

func resolve(t *testing.T, pr plan.Probe) *Target {
	t.Helper()
	target, err := Resolve(&plan.Plan{}, &plan.Service{}, &pr, &expr.Env{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// line reads what a client sends up to the end of the first line.
func line(c net.Conn) string {
	var text []byte
	for p := make([]byte, 1); ; {
		if _, err := c.Read(p); err != nil || p[0] == '\n' {
			return strings.TrimRight(string(text), "\r")
		}
		text = append(text, p[0])
	}
}

// reset ends a connection as a daemon that dies with unread input does.
func reset(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }
