package driver

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

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
// Of two supervisors that are given the same recipes in another order, each would take what the other then lacks, unless
// both begin with the same name.
func TestServicesAreClaimedInOneOrder(t *testing.T) {
	first := begun(t, planOf(serviceOf("a", "exec sleep 1000")))
	second := prepare(t, first.dir, planOf(serviceOf("z", "exec sleep 1000"), serviceOf("a", "exec sleep 1000")))
	if err := second.Run(context.Background(), context.Background()); err == nil || !strings.Contains(err.Error(), "service a is already supervised") {
		t.Errorf("the second supervisor: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(second.options.RuntimeDir, "locks", "supervisor", "z")); !os.IsNotExist(err) {
		t.Errorf("z was claimed first: %v", err)
	}
}

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

// TestADeathIsToldWithItsLastWords, each with those of its own incarnation alone.
func TestADeathIsToldWithItsLastWords(t *testing.T) {
	r := begun(t, planOf(serviceOf("a", `echo "starting as $$"; printf 'panic: \033[2J no newline' >&2; exit 3`)))
	var deaths []control.Decision
	r.until("it has died twice", func() bool {
		decisions, _ := r.Why(context.Background(), "a") // not known yet, at first
		deaths = slices.DeleteFunc(decisions, func(d control.Decision) bool { return d.What != "restart" })
		return len(deaths) > 1
	})
	for _, d := range deaths {
		if len(d.Words) != 2 || !strings.HasPrefix(d.Words[0], "starting as ") || d.Words[1] != "panic:  [2J no newline" {
			t.Errorf("%s: %q", d.Why, d.Words)
		}
	}
	if deaths[0].Words[0] == deaths[1].Words[0] {
		t.Errorf("two deaths with the words of one: %q", deaths[0].Words)
	}
	r.until("status tells them while it waits", func() bool { s := r.status("a"); return s.State == control.Waiting && len(s.Words) == 2 })
}
