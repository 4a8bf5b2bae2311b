package unit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// checked writes the check of a plan with these probes where anybody can run it, with a systemctl that writes what it is
// told to a file, and returns the script and that file.
func checked(t *testing.T, probes ...plan.Probe) (script, told string) {
	t.Helper()
	p := tour()
	p.Services[0].Probes = probes
	return checkedPlan(t, p)
}

func checkedPlan(t *testing.T, p *plan.Plan) (script, told string) {
	t.Helper()
	need(t, "dash", "curl", "bash", "setpriv")
	text := rendered(t, p)["check-foo"]
	dir, err := os.MkdirTemp("", "check")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // it asks as nobody
		t.Fatal(err)
	}
	told = filepath.Join(dir, "told")
	text = []byte(strings.Replace(string(text), "PATH=", "PATH="+dir+":", 1))
	for name, text := range map[string]string{
		"check-foo": strings.Replace(string(text), "#!/bin/sh", "#!/usr/bin/dash", 1),
		"systemctl": "#!/bin/sh\nif [ \"$1\" = show ]; then echo 1; else echo \"systemctl $*\" >>" + told + "; fi\n",
		"logger":    "#!/bin/sh\nsed -n 's/^MESSAGE=//p' >>" + told + "\n",
	} {
		// By another process: what this one has open for writing, a child of a parallel test may have as well, and then
		// the kernel refuses to run it.
		cmd := exec.Command("install", "-m", "0755", "/dev/stdin", filepath.Join(dir, name))
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return filepath.Join(dir, "check-foo"), told
}

// once asks all probes and returns what is said.
func once(t *testing.T, probes ...plan.Probe) (string, error) {
	t.Helper()
	script, _ := checked(t, probes...)
	out, err := exec.Command(script, "once").CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func tcpProbe(addr net.Addr, send, expect string) plan.Probe {
	return plan.Probe{TCP: &plan.TCPProbe{Port: expr.IntOf(port(addr)), Send: plan.Bytes(send), Expect: plan.Bytes(expect)}, Every: 200, Timeout: 500, Failures: 2, Successes: 1}
}

func httpProbe(addr net.Addr, path, expect string) plan.Probe {
	return plan.Probe{HTTP: &plan.HTTPProbe{Port: expr.IntOf(port(addr)), Path: path, Status: plan.Status(200), Expect: plan.Bytes(expect)}, Every: 200, Timeout: 500, Failures: 2, Successes: 1}
}

func port(addr net.Addr) int64 { return int64(addr.(*net.TCPAddr).Port) }

// serve listens on a port of its own and gives each connection to handle.
func serve(t *testing.T, handle func(net.Conn)) net.Addr {
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
				handle(c)
			}()
		}
	}()
	return l.Addr()
}

// pinger answers as a daemon does: in pieces, and without closing.
func pinger(c net.Conn) {
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if line == "PING\r\n" {
			io.WriteString(c, "+PO")
			io.WriteString(c, "NG")
		}
	}
}

// silent is a daemon that hangs: the kernel accepts for it.
func silent(c net.Conn) { io.Copy(io.Discard, c) }

func TestProbesAreJudged(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "all is 'well'\n") })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, strings.Repeat("well\n", 1000))
		}
	})
	mux.HandleFunc("/stalled", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "well")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	go server.Serve(web)
	t.Cleanup(func() { server.Close() })
	pong, mute := serve(t, pinger), serve(t, silent)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()

	connect := func(addr net.Addr) plan.Probe {
		pr := tcpProbe(addr, "", "")
		pr.TCP.ConnectOnly = true
		return pr
	}
	for name, c := range map[string]struct {
		probe plan.Probe
		want  string // "" is healthy
	}{
		"http":                            {httpProbe(web.Addr(), "/ok", ""), ""},
		"http body":                       {httpProbe(web.Addr(), "/ok", "'well'\n"), ""},
		"http other body":                 {httpProbe(web.Addr(), "/ok", "ill"), `found "all is 'well'?", wanted "ill"`},
		"http other status":               {httpProbe(web.Addr(), "/none", ""), "status 404, wanted 200"},
		"http refused":                    {httpProbe(closed.Addr(), "/ok", ""), "Couldn't connect"},
		"http without an answer":          {httpProbe(mute, "/ok", ""), "no answer within 0.500s"},
		"http stream":                     {httpProbe(web.Addr(), "/endless", "well"), ""},
		"http stream, status":             {httpProbe(web.Addr(), "/endless", ""), ""},
		"http stream that lacks it":       {httpProbe(web.Addr(), "/endless", "ill"), "wanted"},
		"http body that stalls":           {httpProbe(web.Addr(), "/stalled", "well"), ""},
		"tcp":                             {tcpProbe(pong, "PING\r\n", "PONG"), ""},
		"tcp other answer":                {tcpProbe(pong, "PING\r\n", "PANG"), "no answer within 0.500s"},
		"tcp answer and end":              {tcpProbe(serve(t, func(c net.Conn) { io.WriteString(c, "BUSY\n") }), "PING\r\n", "PONG"), `tcp: sent PING\r\n to 127.0.0.1:`},
		"tcp any answer":                  {tcpProbe(pong, "PING\r\n", ""), ""},
		"tcp without an answer":           {tcpProbe(mute, "PING\r\n", "PONG"), "no answer within 0.500s"},
		"tcp connection is not an answer": {tcpProbe(mute, "", ""), "no answer within 0.500s"},
		"tcp refused":                     {tcpProbe(closed.Addr(), "PING\r\n", "PONG"), "connect to 127.0.0.1"},
		"tcp connect only":                {connect(mute), ""},
		"tcp connect only, refused":       {connect(closed.Addr()), "connect to 127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.probe.Timeout = 2000
			if strings.Contains(c.want, "0.500s") {
				c.probe.Timeout = 500
			}
			out, err := once(t, c.probe)
			if (err == nil) != (c.want == "") || !strings.Contains(out, c.want) {
				t.Errorf("it said %q, %v; wanted %q", out, err, c.want)
			}
		})
	}
}

// watching runs the check until the test ends, in a process group of its own, and returns that and what it says.
func watching(t *testing.T, probes ...plan.Probe) (group int, told func() string) {
	t.Helper()
	script, path := checked(t, probes...)
	cmd := exec.Command(script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	return cmd.Process.Pid, func() string {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		return string(text)
	}
}

func until(t *testing.T, told func() string, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(told(), want); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the check did not say %q, but:\n%s", want, told())
		}
	}
}

const killed = "systemctl kill --signal=KILL foo.service\n"

// TestHungServiceIsKilled lets a daemon answer, then hang, and wants as many failures as the plan says, with the reason.
func TestHungServiceIsKilled(t *testing.T) {
	t.Parallel()
	var hung atomic.Bool
	_, told := watching(t, tcpProbe(serve(t, func(c net.Conn) {
		if hung.Load() {
			silent(c)
		} else {
			pinger(c)
		}
	}), "PING\r\n", "PONG"))
	until(t, told, "tcp: pid 1 answers")
	hung.Store(true)
	until(t, told, killed)
	for _, want := range []string{"no answer within 0.500s (1 of 2)", "no answer within 0.500s (2 of 2)\nfoo is hung"} {
		if !strings.Contains(told(), want) {
			t.Errorf("no %q in:\n%s", want, told())
		}
	}
}

// TestSlowStartIsForgiven: what has never answered has start_within, and no longer.
func TestSlowStartIsForgiven(t *testing.T) {
	t.Parallel()
	mute := serve(t, silent)
	patient, strict := tcpProbe(mute, "", ""), tcpProbe(mute, "", "")
	patient.Timeout, strict.Timeout = 50, 50
	patient.StartWithin, strict.StartWithin = 3_600_000, 300
	patient.TCP.Send = "patient"
	_, forgiving := watching(t, patient)
	_, told := watching(t, strict)
	until(t, told, killed)
	if text := forgiving(); text != "" {
		t.Errorf("within an hour of its start the check says:\n%s", text)
	}
}

// TestOwnStallProvesNothing stops the check, not the service, for longer than it may be late. What the service does not
// answer in the round after that must not count, and what it does not answer in the next must.
func TestOwnStallProvesNothing(t *testing.T) {
	t.Parallel()
	var refuse atomic.Bool
	var refused atomic.Int32
	probe := tcpProbe(serve(t, func(c net.Conn) {
		if refuse.Load() {
			refused.Add(1)
			return
		}
		pinger(c)
	}), "PING\r\n", "PONG")
	probe.Failures, probe.Every = 1, 2000
	group, told := watching(t, probe)
	until(t, told, "answers")
	untilAsleep(t, group)
	syscall.Kill(-group, syscall.SIGSTOP)
	refuse.Store(true)
	time.Sleep(4 * time.Second) // the stall itself: its sleep ends while it is stopped
	syscall.Kill(-group, syscall.SIGCONT)
	until(t, told, killed)
	if n := refused.Load(); n != 2 {
		t.Errorf("the service was killed for failure %d after the stall, not for the second:\n%s", n, told())
	}
}

// untilAsleep waits until a process of the group is a sleep.
func untilAsleep(t *testing.T, group int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		stats, err := filepath.Glob("/proc/[0-9]*/stat")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range stats {
			text, _ := os.ReadFile(path) // PID (COMMAND) STATE PARENT GROUP
			if _, rest, ok := strings.Cut(string(text), " (sleep) S "); ok && strings.Fields(rest)[1] == fmt.Sprint(group) {
				return
			}
		}
	}
	t.Fatal("the check does not sleep between its rounds")
}
