package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
	"recipe/runtime/process"
)

// TestMain serves as launcher too: the supervisor spawns its own executable.
func TestMain(m *testing.M) {
	if process.Launching(os.Args) {
		process.Launch()
	}
	os.Exit(m.Run())
}

// running is a supervisor under test, over a plan that the test may replace like an editor does a file.
type running struct {
	*Supervisor
	t    *testing.T
	dir  string
	file string
	stop context.CancelFunc
	done chan error

	mu     sync.Mutex
	plan   *plan.Plan            // of file
	others map[string]*plan.Plan // of the other recipes, by file
	loads  int
	load   func() // is called in every evaluation
	said   []string
}

func serviceOf(name, script string) plan.Service {
	return plan.Service{
		Name: name, Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(script)},
		Restart: plan.Restart{Delay: 10, Cap: 100, StableAfter: 60_000},
		Stop:    plan.Stop{Signal: "TERM", Grace: 300}, Logs: plan.DefaultLogs(),
	}
}

func planOf(services ...plan.Service) *plan.Plan {
	return &plan.Plan{Format: plan.Format, Name: "test", Services: services}
}

func begun(t *testing.T, p *plan.Plan) *running {
	t.Helper()
	r := prepare(t, t.TempDir(), p)
	r.begin()
	return r
}

// prepare makes a supervisor that shares the directories of dir. The others lie in files that are named like them.
func prepare(t *testing.T, dir string, p *plan.Plan, others ...*plan.Plan) *running {
	t.Helper()
	r := &running{t: t, dir: dir, file: filepath.Join(dir, "test.star"), plan: p, others: map[string]*plan.Plan{}}
	r.save("the first")
	files := []string{r.file}
	for _, other := range others {
		file := filepath.Join(dir, other.Name+".star")
		r.write(file, "the first")
		r.others[file] = other
		files = append(files, file)
	}
	for _, folder := range []string{"run", "state", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s, err := New(Options{
		Recipes:    files,
		Root:       func(string, *plan.Plan) string { return filepath.Join(dir, "root") },
		RuntimeDir: filepath.Join(dir, "run"), StateDir: filepath.Join(dir, "state"), LogDir: filepath.Join(dir, "log"),
		Load: func(_ context.Context, file string) (*plan.Plan, error) {
			r.mu.Lock()
			r.loads++
			p, load := r.plan, r.load
			if file != r.file {
				p = r.others[file]
			}
			r.mu.Unlock()
			if load != nil {
				load()
			}
			if p == nil {
				return nil, errors.New(filepath.Base(file) + ":1:1: this text is no recipe")
			}
			return p, nil
		},
		Say: func(line string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.said = append(r.said, line)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Supervisor = s
	return r
}

func (r *running) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.done = cancel, make(chan error, 1)
	go func() { r.done <- r.Run(ctx, context.Background()) }()
	r.t.Cleanup(func() {
		r.end()
		if r.t.Failed() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Logf("the supervisor said:\n%s", strings.Join(r.said, "\n"))
		}
	})
}

func (r *running) end() {
	r.stop()
	if err, first := <-r.done; first {
		close(r.done)
		if err != nil {
			r.t.Errorf("the supervisor ended: %v", err)
		}
	}
}

// save writes the file that is watched; its text does not matter to Load.
func (r *running) save(text string) { r.write(r.file, text) }

// write makes the file and its folders.
func (r *running) write(file, text string) {
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		r.t.Error(err)
	}
}

func (r *running) change(p *plan.Plan, text string) {
	r.mu.Lock()
	r.plan = p
	r.mu.Unlock()
	r.save(text)
}

func (r *running) count(part string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, line := range r.said {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

func (r *running) status(name string) *control.Status {
	for _, s := range r.Status(context.Background()) {
		if s.Service == name {
			return &s
		}
	}
	return &control.Status{}
}

// until polls for a state of the world; there is no event to wait for across processes.
func (r *running) until(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("in 20 s it never came to be that %s; status: %+v", what, r.Status(context.Background()))
		}
	}
}

func (r *running) pidOf(name string) int {
	r.t.Helper()
	r.until(name+" runs", func() bool { return r.status(name).IsUp() })
	return r.status(name).PID
}

// gone reports whether no process of that pid runs. A zombie does not: it has ended, and waits for its parent to read how.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.HasPrefix(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " Z")
}

func TestADaemonThatDiesIsStartedAgain(t *testing.T) {
	r := begun(t, planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")))
	a, b := r.pidOf("a"), r.pidOf("b")
	if state := r.status("a").State; state != control.Running {
		t.Errorf("without a probe it is %s, though nothing is known of its health", state)
	}
	for range 5 {
		if err := syscall.Kill(a, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		old := a
		r.until("a has a new process", func() bool { s := r.status("a"); return s.IsUp() && s.PID != old })
		a = r.status("a").PID
	}
	if got := r.pidOf("b"); got != b {
		t.Errorf("b's process changed from %d to %d though only a died", b, got)
	}
	decisions, err := r.Why(context.Background(), "a")
	if err != nil || !slices.ContainsFunc(decisions, func(d control.Decision) bool { return strings.Contains(d.Why, "SIGKILL") }) {
		t.Errorf("why does not tell of the signal: %v %v", decisions, err)
	}
}

func TestStopReturnsOnceTheTreeIsEmpty(t *testing.T) {
	// The leader ignores TERM, and so does a child in a session of its own.
	script := `trap '' TERM; setsid sh -c 'trap "" TERM; echo child $$; while :; do sleep 1000; done' & echo leader $$; while :; do wait; sleep 1; done`
	r := begun(t, planOf(serviceOf("a", script)))
	r.pidOf("a")
	var pids []int
	r.until("leader and child have told their pids", func() bool {
		data, _ := os.ReadFile(filepath.Join(r.dir, "log", "a.log"))
		pids = pids[:0]
		for line := range strings.Lines(string(data)) {
			var who string
			var pid int
			if n, _ := fmt.Sscan(line, &who, &pid); n == 2 && (who == "child" || who == "leader") {
				pids = append(pids, pid)
			}
		}
		return len(pids) == 2
	})
	status, err := r.Stop(context.Background(), "a", control.Caller{User: "tester", Why: "to see it gone"})
	if err != nil || status.State != control.Stopped {
		t.Fatalf("stop: %+v, %v", status, err)
	}
	for _, pid := range pids {
		if !gone(pid) {
			t.Errorf("process %d lives after stop returned", pid)
		}
	}
	if status.Stop == nil || status.Stop.By != "tester" || status.Stop.Why != "to see it gone" {
		t.Errorf("the stop does not carry who and why: %+v", status.Stop)
	}
}

func TestAdminStopOutlivesTheSupervisor(t *testing.T) {
	r := begun(t, planOf(serviceOf("a", "exec sleep 1000")))
	r.pidOf("a")
	if _, err := r.Stop(context.Background(), "a", control.Caller{User: "tester", Why: "repair"}); err != nil {
		t.Fatal(err)
	}
	r.end()
	again := prepare(t, r.dir, planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")))
	again.begin()
	again.pidOf("b")
	if s := again.status("a"); s.State != control.Stopped || s.PID != 0 || !strings.Contains(s.Reason, "stopped by tester") || !strings.Contains(s.Reason, "repair") {
		t.Errorf("after a restart of the supervisor: %+v", s)
	}
	if _, err := again.Restart(context.Background(), "a", control.Caller{User: "tester"}); err == nil {
		t.Error("a restart ended an admin's stop")
	}
	if s, err := again.Start(context.Background(), "a", control.Caller{User: "tester"}); err != nil || !s.IsUp() {
		t.Errorf("start: %+v, %v", s, err)
	}
}

func TestASecondSupervisorIsRefused(t *testing.T) {
	r := begun(t, planOf(serviceOf("a", "exec sleep 1000")))
	pid := r.pidOf("a")
	second := prepare(t, r.dir, planOf(serviceOf("a", "exec sleep 1000")))
	err := second.Run(context.Background(), context.Background())
	if err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("the second supervisor: %v", err)
	}
	if r.pidOf("a") != pid {
		t.Error("the daemon was touched")
	}
}

// What was said wrong on the command line no file mends: nothing is started.
func TestAWrongSetRunsNothing(t *testing.T) {
	r := prepare(t, t.TempDir(), planOf(serviceOf("foo", "sleep 1000")))
	r.options.Sets = []string{"port=1", "x"}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := r.Run(ctx, ctx)
	if err == nil || !strings.Contains(err.Error(), `--set: flag "port": no such flag`) || !strings.Contains(err.Error(), `no '=' in "x"`) {
		t.Errorf("it ended with %v", err)
	}
	if r.service("foo") != nil {
		t.Error("the service was taken under supervision")
	}
}

func TestABrokenRecipeChangesNothingAndIsReportedOnce(t *testing.T) {
	r := begun(t, planOf(serviceOf("a", "exec sleep 1000")))
	pid := r.pidOf("a")
	r.change(nil, "half a recip")
	r.until("the mistake is reported", func() bool { return r.count("no recipe") > 0 })
	// The same plan from other bytes, by rename: applied, and nothing to do.
	r.change(planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")), "half a recipe, and the rest")
	r.pidOf("b")
	if n := r.count("no recipe"); n != 1 {
		t.Errorf("reported %d times", n)
	}
	if r.pidOf("a") != pid {
		t.Error("a was restarted though nothing of it changed")
	}
	r.change(planOf(serviceOf("b", "exec sleep 1000")), "without a")
	// A service that comes back while it is on its way out is waited for.
	r.until("a is told to end", func() bool { return r.count("does not declare it any longer") > 0 })
	r.change(planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")), "a again")
	r.until("a is another process", func() bool { s := r.status("a"); return gone(pid) && s.IsUp() && s.PID != pid })
	pid = r.pidOf("a")
	r.change(planOf(serviceOf("b", "exec sleep 1000")), "without a, again")
	r.until("a is gone", func() bool { return r.status("a").Service == "" && gone(pid) })
	b := r.pidOf("b")
	r.change(planOf(serviceOf("b", "exec sleep 2000")), "another b")
	r.until("b is another process", func() bool { s := r.status("b"); return s.IsUp() && s.PID != b })
}

func TestFlagsAreAppliedAsTheySay(t *testing.T) {
	s := serviceOf("a", `trap 'cat "$2"' HUP; echo "$1"; while :; do sleep 0.01; done`)
	s.Command = append(s.Command, expr.TextOf("a"), expr.FlagOf("size"), expr.PathOf("/run/a.conf"))
	s.Prepare = []plan.Step{{Template: &plan.Template{Path: expr.PathOf("/run/a.conf"), Text: expr.Fmt("level {}\n", expr.FlagOf("level")), Mode: 0o644}}}
	low, high := int64(1), int64(9)
	p := planOf(s)
	p.Flags = []plan.Flag{
		{Name: "level", Type: plan.FlagEnum, Values: []string{"info", "debug"}, Default: expr.TextOf("info"), Apply: plan.Apply{Action: plan.ApplySignal, Signal: "HUP"}},
		{Name: "size", Type: plan.FlagInt, Min: &low, Max: &high, Default: expr.IntOf(3), Apply: plan.Apply{Action: plan.ApplyRestart}},
	}
	if problems := p.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	r := begun(t, p)
	pid := r.pidOf("a")
	r.until("its trap is set", func() bool { return logged(r, "3\n") })
	file := filepath.Join(r.dir, "root/etc/test/flags")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	flags := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	flags("level=debug\n")
	r.until("the new level is read", func() bool { return logged(r, "level debug\n") })
	if got := r.pidOf("a"); got != pid {
		t.Errorf("a signal was asked for, but the process changed from %d to %d", pid, got)
	}
	flags("level=debug\nsize=99\n")
	r.until("the bad value is refused", func() bool {
		return r.count(file+`:2: flag "size"`) > 0 && r.count("1 to 9") > 0
	})
	if got := r.pidOf("a"); got != pid {
		t.Errorf("a bad value touched the daemon: %d is now %d", pid, got)
	}
	// Even a restart keeps to the last good values.
	if _, err := r.Restart(context.Background(), "a", control.Caller{User: "tester"}); err != nil {
		t.Fatal(err)
	}
	pid = r.pidOf("a")
	flags("level=debug\nsize=4\n")
	r.until("the new size is an argument of a new process", func() bool { return logged(r, "4\n") && r.pidOf("a") != pid })
}

func logged(r *running, text string) bool {
	data, _ := os.ReadFile(filepath.Join(r.dir, "log", "a.log"))
	return strings.Contains(string(data), text)
}

func TestAnInsaneEnvironmentIsRetriedUntilItIsMended(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	s := serviceOf("a", "exec sleep 1000")
	s.Prepare = []plan.Step{{RequirePortFree: &plan.RequirePortFree{Port: expr.IntOf(int64(port))}}}
	r := begun(t, planOf(s))
	r.until("the reason is said", func() bool { return r.count(fmt.Sprintf("port %d", port)) > 2 })
	listener.Close()
	r.pidOf("a")
}

func TestAHungDaemonIsKilledAndReplaced(t *testing.T) {
	// A listener on which nobody accepts: the kernel connects, nothing answers, as with a stopped process.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := serviceOf("a", "exec sleep 1000")
	s.Probes = []plan.Probe{{TCP: &plan.TCPProbe{Host: "127.0.0.1", Port: expr.IntOf(int64(listener.Addr().(*net.TCPAddr).Port)), Send: "PING\r\n", Expect: "PONG"},
		Every: 100, Timeout: 100, Failures: 2, Successes: 1, StartWithin: 300}}
	r := begun(t, planOf(s))
	r.until("it is killed twice for its silence", func() bool { return r.status("a").Restarts >= 2 && r.count("hung: tcp") >= 2 })
	if s := r.status("a"); s.State == control.Healthy {
		t.Error("a connection without an answer passed for health")
	}
}

// answering listens on a port and says hello to everyone, as a daemon in good health does.
func answering(t *testing.T) int64 {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "hello\n")
			conn.Close()
		}
	}()
	return int64(listener.Addr().(*net.TCPAddr).Port)
}

// TestProbesAskTheDaemonThatRuns changes the port that a probe asks: one that the probe alone names takes effect, one
// that the daemon reads at its next start does not, since the running one still listens on the old.
func TestProbesAskTheDaemonThatRuns(t *testing.T) {
	s := serviceOf("a", "exec sleep 1000")
	s.Command = append(s.Command, expr.FlagOf("later"))
	for _, name := range []string{"later", "probed"} {
		s.Probes = append(s.Probes, plan.Probe{TCP: &plan.TCPProbe{Host: "127.0.0.1", Port: expr.FlagOf(name), Expect: "hello"},
			Every: 100, Timeout: 100, Failures: 2, Successes: 1, StartWithin: 10_000})
	}
	p := planOf(s)
	port := answering(t)
	for _, name := range []string{"later", "probed"} {
		p.Flags = append(p.Flags, plan.Flag{Name: name, Type: plan.FlagPort, Default: expr.IntOf(port), Apply: plan.Apply{Action: plan.ApplyNone}})
	}
	r := begun(t, p)
	pid := r.pidOf("a")
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close() // connects, and answers nothing
	file := filepath.Join(r.dir, "root/etc/test/flags")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	silent := dead.Addr().(*net.TCPAddr).Port
	if err := os.WriteFile(file, fmt.Appendf(nil, "later=%d\n", silent), 0o644); err != nil {
		t.Fatal(err)
	}
	r.until("the change waits for the next start", func() bool { return r.count("from the next start on") > 0 })
	if err := os.WriteFile(file, fmt.Appendf(nil, "later=%d\nprobed=%d\n", silent, silent), 0o644); err != nil {
		t.Fatal(err)
	}
	r.until("the other probe finds nobody", func() bool { return r.count("hung: tcp") > 0 })
	if r.count("hung: tcp "+fmt.Sprint(port)) > 0 || !gone(pid) {
		t.Error("the wrong probe killed it")
	}
}

func TestOneComesAfterTheOther(t *testing.T) {
	first, second := serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	first.Probes = []plan.Probe{{TCP: &plan.TCPProbe{Host: "127.0.0.1", Port: expr.IntOf(int64(listener.Addr().(*net.TCPAddr).Port)), Expect: "hello"},
		Every: 100, Timeout: 100, Failures: 1000, Successes: 1, StartWithin: 60_000}}
	second.After = []string{"a"}
	r := begun(t, planOf(first, second))
	r.until("a runs", func() bool { return r.status("a").State == control.Running })
	if s := r.status("b"); s.State != control.Waiting {
		t.Errorf("b is %s before a is healthy", s.State)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "hello\n")
			conn.Close()
		}
	}()
	r.pidOf("b")
}

func TestNothingIsLeftAfterTheEnd(t *testing.T) {
	r := begun(t, planOf(serviceOf("a", "sleep 1000 & exec sleep 1000"), serviceOf("b", "trap '' TERM; while :; do sleep 1; done")))
	a, b := r.pidOf("a"), r.pidOf("b")
	r.end()
	if !gone(a) || !gone(b) {
		t.Error("a daemon outlived its supervisor's end")
	}
	if _, err := os.Stat(filepath.Join(r.dir, "run", "test.sock")); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}
