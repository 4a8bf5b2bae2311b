package process

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
)

// The test binary is launcher, daemon and supervisor by turns.
func TestMain(m *testing.M) {
	if Launching(os.Args) {
		Launch()
	}
	if name := os.Getenv("PROCESS_TEST_ROLE"); name != "" {
		os.Exit(play(name))
	}
	os.Exit(m.Run())
}

// patience bounds every wait of the tests; none of them takes it unless it fails.
const patience = 20 * time.Second

// eventually polls, since most of what is waited for here tells nobody.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// eachContainment runs the test with cgroups, where this machine has any to write, and without.
func eachContainment(t *testing.T, test func(t *testing.T, h *Host)) {
	t.Helper()
	t.Run("cgroup", func(t *testing.T) {
		h := newHost(t, t.TempDir(), false)
		if h.cgroup == "" {
			needsHost(t, "a writable cgroup2: "+h.why)
		}
		test(t, h)
	})
	t.Run("fallback", func(t *testing.T) { test(t, newHost(t, t.TempDir(), true)) })
}

// needsHost skips, unless the machine was made for the tests and must have everything.
func needsHost(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("RECIPE_TEST_HOST") == "1" {
		t.Fatalf("this test needs %s", what)
	}
	t.Skipf("this test needs %s", what)
}

// byLauncher has everything from here on started by launchers.
func byLauncher(h *Host) *Host {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.options.NoForker = true
	return h
}

func newHost(t testing.TB, dir string, noCgroup bool) *Host {
	t.Helper()
	h, err := NewHost(Options{RuntimeDir: dir, NoCgroup: noCgroup})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// running is an incarnation under test, with what it writes and what it tells.
type running struct {
	*Incarnation
	t      testing.TB
	events chan Event
	lines  *bufio.Reader
	output *os.File

	once sync.Once
}

// start claims the service if need be and runs the role as its daemon.
func start(t testing.TB, h *Host, service, role string, edit ...func(*launch.Spec)) *running {
	t.Helper()
	if !h.claimed(service) {
		if err := h.Claim(service); err != nil {
			t.Fatal(err)
		}
	}
	r, err := tryStart(t, h, service, role, edit...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.end)
	return r
}

func tryStart(t testing.TB, h *Host, service, role string, edit ...func(*launch.Spec)) (*running, error) {
	spec := roleSpec(service, role)
	for _, change := range edit {
		change(spec)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	r := &running{t: t, events: make(chan Event, 3), lines: bufio.NewReader(reader), output: reader}
	r.Incarnation, err = h.Start(Order{
		Service: service, ID: randomID(), Spec: spec, Output: writer,
		Notify: func(e Event) { r.events <- e },
	})
	if err != nil {
		reader.Close()
	}
	return r, err
}

func roleSpec(service, role string) *launch.Spec {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return &launch.Spec{Service: service, Argv: []string{self}, Env: []string{"PROCESS_TEST_ROLE=" + role, "PATH=/usr/bin:/bin"}}
}

// end is the clean way out of a test, whatever it left.
func (r *running) end() {
	r.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := r.KillTree(ctx, nil); err != nil {
			r.t.Error(err)
		}
		if err := r.Reap(); err != nil {
			r.t.Error(err)
		}
		r.output.Close()
	})
}

// awaitSpare waits until the host's spare launcher waits for orders: one of its threads sleeps in recvmsg.
func awaitSpare(t testing.TB, h *Host) {
	t.Helper()
	eventually(t, "there is a spare launcher", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.spare == nil {
			return false
		}
		calls, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", h.spare.pid))
		return slices.ContainsFunc(calls, func(call string) bool {
			text, _ := os.ReadFile(call)
			return strings.HasPrefix(string(text), fmt.Sprintf("%d ", unix.SYS_RECVMSG))
		})
	})
}

func (r *running) expect(want Event) {
	r.t.Helper()
	select {
	case got := <-r.events:
		if got != want {
			r.t.Fatalf("got event %#v, want %#v", got, want)
		}
	case <-time.After(patience):
		r.t.Fatalf("no event within %s, want %#v", patience, want)
	}
}

// line reads what the daemon says. A daemon says something when it is where the test wants it.
func (r *running) line() string {
	r.t.Helper()
	if err := r.output.SetReadDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	text, err := r.lines.ReadString('\n')
	if err != nil {
		r.t.Fatalf("the daemon said nothing more: %v", err)
	}
	return strings.TrimSpace(text)
}

func (r *running) pid() (pid int) {
	r.t.Helper()
	text := r.line()
	if _, err := fmt.Sscanf(text, "pid %d", &pid); err != nil {
		r.t.Fatalf("the daemon said %q", text)
	}
	return pid
}

func lives(pid int) bool {
	p, ok := readProc(pid)
	return ok && !p.dead()
}
