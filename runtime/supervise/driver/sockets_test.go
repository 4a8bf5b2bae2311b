package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// handedService is the daemon that answers at whatever it is handed.
func handedService(t *testing.T, sockets ...plan.Socket) plan.Service {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := serviceOf("a", "")
	s.Command = []expr.Expr{expr.TextOf(self), expr.TextOf(handedRole)}
	s.Listen = sockets
	return s
}

func onPort(name string, port expr.Expr) plan.Socket {
	return plan.Socket{Name: name, Type: plan.Stream, Host: "127.0.0.1", Port: port, Backlog: plan.DefaultBacklog}
}

// freePort is one that nobody has just now.
func freePort(t *testing.T) int64 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int64(l.Addr().(*net.TCPAddr).Port)
}

// ask connects and reads the answer.
func ask(network, address string) (string, error) {
	c, err := net.DialTimeout(network, address, 10*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if strings.HasPrefix(network, "udp") {
		c.Write([]byte("?"))
	}
	data := make([]byte, 100)
	n, err := c.Read(data)
	if err == io.EOF {
		err = nil
	}
	return strings.TrimSpace(string(data[:n])), err
}

func tcpAddress(port int64) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func TestRestartsRefuseNoConnection(t *testing.T) {
	port := freePort(t)
	r := begun(t, planOf(handedService(t, onPort("web", expr.IntOf(port)))))
	r.pidOf("a")
	stop := make(chan struct{})
	var askers sync.WaitGroup
	var mu sync.Mutex
	answers, incarnations := 0, map[string]bool{}
	for range 4 {
		askers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				text, err := ask("tcp", tcpAddress(port))
				mu.Lock()
				switch {
				case errors.Is(err, syscall.ECONNREFUSED):
					t.Error("a connection was refused")
				case err == nil && text != "": // one that a daemon had accepted ends with it
					answers++
					incarnations[text] = true
				}
				mu.Unlock()
			}
		})
	}
	const restarts = 50
	for range restarts {
		if s, err := r.Restart(context.Background(), "a", tester); err != nil || !s.IsUp() {
			t.Errorf("restart: %+v, %v", s, err)
		}
		// The next one comes when this one has served.
		pid := r.status("a").PID
		r.until("the new one has answered", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return incarnations[fmt.Sprintf("%d web", pid)]
		})
	}
	close(stop)
	askers.Wait()
	if answers < restarts || len(incarnations) < restarts {
		t.Errorf("%d answers by %d incarnations", answers, len(incarnations))
	}
	t.Logf("%d connections answered by %d incarnations, none refused", answers, len(incarnations))
}

// All that there may be, by a launcher of their own and by the spare one: each is at its place, under its name.
func TestSocketsAreHandedOverInOrder(t *testing.T) {
	dir := t.TempDir()
	var sockets []plan.Socket
	for i := range plan.MostSockets {
		s := plan.Socket{Name: fmt.Sprintf("s%d", i), Type: plan.Stream, Path: expr.PathOf(fmt.Sprintf("/s/%d", i)), Mode: 0o600, Backlog: 10}
		sockets = append(sockets, s)
	}
	udp := freePort(t)
	sockets[7] = plan.Socket{Name: "s7", Type: plan.Datagram, Port: expr.IntOf(udp)}
	r := prepare(t, dir, planOf(handedService(t, sockets...)))
	r.begin()
	for round := range 3 {
		pid := r.pidOf("a")
		for i := range sockets {
			network, address := "unix", filepath.Join(dir, "root", "s", fmt.Sprint(i))
			if i == 7 {
				network, address = "udp", tcpAddress(udp)
			}
			if got, err := ask(network, address); err != nil || got != fmt.Sprintf("%d s%d", pid, i) {
				t.Fatalf("round %d, socket %d of process %d: %q, %v", round, i, pid, got, err)
			}
		}
		if _, err := r.Restart(context.Background(), "a", tester); err != nil {
			t.Fatal(err)
		}
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log", "a.log"))
	if n := strings.Count(string(log), fmt.Sprintf("handed %d, mine true, named %[1]d\n", plan.MostSockets)); n < 3 {
		t.Errorf("the daemons said:\n%s", log)
	}
}

func TestAServiceWithoutSocketsIsToldOfNone(t *testing.T) {
	t.Setenv("LISTEN_FDS", "3")
	t.Setenv("LISTEN_PID", fmt.Sprint(os.Getpid()))
	r := begun(t, planOf(serviceOf("a", `env | grep LISTEN; echo told; exec sleep 1000`)))
	r.pidOf("a")
	var log string
	r.until("it has spoken", func() bool {
		data, _ := os.ReadFile(filepath.Join(r.dir, "log", "a.log"))
		log = string(data)
		return strings.HasSuffix(log, "told\n")
	})
	if log != "told\n" {
		t.Errorf("it said %q", log)
	}
}

func TestAStopClosesTheSockets(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	path := plan.Socket{Name: "admin", Type: plan.Stream, Path: expr.PathOf("/run/admin.sock"), Mode: 0o640, Backlog: 10}
	r := prepare(t, dir, planOf(handedService(t, onPort("web", expr.IntOf(port)), path)))
	r.begin()
	r.pidOf("a")
	file := filepath.Join(dir, "root/run/admin.sock")
	if info, err := os.Lstat(file); err != nil || info.Mode() != os.ModeSocket|0o640 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := r.Stop(context.Background(), "a", tester); err != nil {
		t.Fatal(err)
	}
	if _, err := ask("tcp", tcpAddress(port)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after a stop: %v", err)
	}
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after a stop there is %v", err)
	}
	if s, err := r.Start(context.Background(), "a", tester); err != nil || !s.IsUp() {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := ask("unix", file); err != nil {
		t.Error(err)
	}
}

func TestAPortThatIsTakenIsTriedUntilItIsFree(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	port := int64(other.Addr().(*net.TCPAddr).Port)
	r := begun(t, planOf(handedService(t, onPort("web", expr.IntOf(port)))))
	want := fmt.Sprintf("cannot listen on TCP port 127.0.0.1:%d: Address already in use", port)
	r.until("it says why", func() bool { return strings.Contains(r.status("a").Reason, want) })
	r.until("it was tried several times", func() bool { return r.count(want) >= 3 })
	other.Close()
	pid := r.pidOf("a")
	if got, err := ask("tcp", tcpAddress(port)); err != nil || got != fmt.Sprintf("%d web", pid) {
		t.Errorf("%q, %v", got, err)
	}
}

// A flag moves the socket: the new one is opened before anything is given up, and where that cannot be, what runs goes on.
func TestAChangedFlagMovesTheSocket(t *testing.T) {
	dir := t.TempDir()
	first, second := freePort(t), freePort(t)
	p := planOf(handedService(t, onPort("web", expr.FlagOf("port"))))
	p.Flags = []plan.Flag{{Name: "port", Type: plan.FlagPort, Default: expr.IntOf(first), Apply: plan.Apply{Action: plan.ApplyRestart}}}
	r := prepare(t, dir, p)
	r.listenRetry = 20 * time.Millisecond
	r.begin()
	flagsFile := filepath.Join(dir, "root/etc/test/flags")
	before := r.pidOf("a")
	r.write(flagsFile, fmt.Sprintf("port=%d\n", second))
	r.until("it answers at the new port", func() bool {
		got, err := ask("tcp", tcpAddress(second))
		return err == nil && strings.HasSuffix(got, " web")
	})
	r.until("another runs", func() bool { s := r.status("a"); return s.IsUp() && s.PID != before })
	if _, err := ask("tcp", tcpAddress(first)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the old port: %v", err)
	}

	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	taken := int64(other.Addr().(*net.TCPAddr).Port)
	before = r.pidOf("a")
	r.write(flagsFile, fmt.Sprintf("port=%d\n", taken))
	r.until("the change waits", func() bool { return r.count("the change waits, and what runs goes on: cannot listen on TCP port") == 1 })
	if got, err := ask("tcp", tcpAddress(second)); err != nil || got != fmt.Sprintf("%d web", before) {
		t.Errorf("while the change waits: %q, %v, want an answer by %d", got, err, before)
	}
	other.Close()
	r.until("it has moved", func() bool {
		got, err := ask("tcp", tcpAddress(taken))
		return err == nil && strings.HasSuffix(got, " web")
	})
	if n := r.count("the change waits"); n != 1 {
		t.Errorf("it was said %d times that the change waits", n)
	}

	// A newer change puts one that waits out of force.
	other, err = net.Listen("tcp", tcpAddress(first))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	r.write(flagsFile, fmt.Sprintf("port=%d\n", first))
	r.until("the change waits", func() bool { return r.count("the change waits") == 2 })
	r.write(flagsFile, fmt.Sprintf("port=%d\n", second))
	r.until("it is back at the second port", func() bool {
		got, err := ask("tcp", tcpAddress(second))
		return err == nil && strings.HasSuffix(got, " web")
	})
	other.Close()
	pid := r.pidOf("a")
	if _, err := r.Restart(context.Background(), "a", control.Caller{User: "tester"}); err != nil {
		t.Fatal(err)
	}
	r.until("the next one answers there as well", func() bool {
		got, err := ask("tcp", tcpAddress(second))
		return err == nil && strings.HasSuffix(got, " web") && !strings.HasPrefix(got, fmt.Sprint(pid))
	})
}

// A flag that waits for the next start leaves the socket where the daemon serves until then.
func TestASocketWhoseFlagWaitsMovesAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	first, second := freePort(t), freePort(t)
	p := planOf(handedService(t, onPort("web", expr.FlagOf("port"))))
	p.Flags = []plan.Flag{{Name: "port", Type: plan.FlagPort, Default: expr.IntOf(first), Apply: plan.Apply{Action: plan.ApplyNone}}}
	r := prepare(t, dir, p)
	r.begin()
	pid := r.pidOf("a")
	r.write(filepath.Join(dir, "root/etc/test/flags"), fmt.Sprintf("port=%d\n", second))
	r.until("the change is said", func() bool { return r.count("from the next start on") == 1 })
	if got, err := ask("tcp", tcpAddress(first)); err != nil || got != fmt.Sprintf("%d web", pid) {
		t.Errorf("the old port: %q, %v", got, err)
	}
	if _, err := ask("tcp", tcpAddress(second)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the new port, which nobody serves yet: %v", err)
	}
	if _, err := r.Restart(context.Background(), "a", tester); err != nil {
		t.Fatal(err)
	}
	if got, err := ask("tcp", tcpAddress(second)); err != nil || got != fmt.Sprintf("%d web", r.pidOf("a")) {
		t.Errorf("after a restart: %q, %v", got, err)
	}
}
