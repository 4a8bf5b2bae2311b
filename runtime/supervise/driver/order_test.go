package driver

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

var tester = control.Caller{User: "tester"}

// silent is a probe of a port where nobody answers; whoever has it never turns healthy and is not killed for that.
func silent(t *testing.T) plan.Probe {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return plan.Probe{TCP: &plan.TCPProbe{Host: "127.0.0.1", Port: expr.IntOf(int64(listener.Addr().(*net.TCPAddr).Port)), Expect: "hello"},
		Every: 100, Timeout: 100, Failures: 1000, Successes: 1, StartWithin: 60_000}
}

// A start that cuts a delay short tells what came of it, not how things stood before.
func TestStartTellsWhatCameOfIt(t *testing.T) {
	mended := filepath.Join(t.TempDir(), "mended")
	s := serviceOf("a", "test -e "+mended+" && exec sleep 1000; exit 3")
	s.Restart.Delay, s.Restart.Cap = 600_000, 600_000
	r := begun(t, planOf(s))
	r.until("it waits for its delay", func() bool { return r.status("a").NextStart != nil })
	if err := os.WriteFile(mended, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Start(context.Background(), "a", tester); err != nil || !s.IsUp() {
		t.Errorf("the start was answered with %+v, %v", s, err)
	}
}

// A service on its way out of the recipe cannot be started any more, and whoever tries is told so at once.
func TestWhatLeavesIsNotStartedAgain(t *testing.T) {
	stubborn := serviceOf("a", "trap '' TERM; while :; do sleep 0.1; done")
	stubborn.Stop.Grace = 1500
	r := begun(t, planOf(stubborn, serviceOf("b", "exec sleep 1000")))
	pid := r.pidOf("a")
	r.change(planOf(serviceOf("b", "exec sleep 1000")), "without a")
	r.until("a is told to end", func() bool { return r.count("does not declare it any longer") > 0 })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if s, err := r.Start(ctx, "a", tester); ctx.Err() != nil || err == nil && s.State != control.Stopped {
		t.Errorf("a start of what leaves: %+v, %v", s, err)
	}
	r.until("a is gone", func() bool { return r.status("a").Service == "" && gone(pid) })
}

// Whoever gives up waiting leaves nothing behind.
func TestWaitersAreForgotten(t *testing.T) {
	r := begun(t, planOf(serviceOf("a", "exec sleep 1000")))
	r.pidOf("a")
	sv := r.service("a")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := sv.wait(ctx, func(view) bool { return false }); err == nil {
		t.Error("a wait for what never is has ended")
	}
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if len(sv.waiters) > 0 {
		t.Errorf("%d waiters are left", len(sv.waiters))
	}
}

// The order of the declarations does not matter to what comes after what.
func TestOneComesAfterAnotherDeclaredLater(t *testing.T) {
	first, second := serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")
	first.Probes = []plan.Probe{silent(t)}
	second.After = []string{"a"}
	r := begun(t, planOf(second, first))
	r.until("a runs", func() bool { return r.status("a").State == control.Running })
	if s := r.status("b"); s.State != control.Waiting {
		t.Errorf("b is %s before a is healthy", s.State)
	}
	// A recipe that takes the condition back is heard by who waits for it.
	second.After = nil
	r.change(planOf(second, first), "b alone")
	r.pidOf("b")
}

// A service that is waited for may be taken out, together with the condition.
func TestWaitingEndsWithWhatIsWaitedFor(t *testing.T) {
	first, second := serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")
	first.Probes = []plan.Probe{silent(t)}
	second.After = []string{"a"}
	r := begun(t, planOf(first, second))
	r.until("b waits", func() bool { return r.count("b: wait: comes after a") > 0 })
	r.change(planOf(serviceOf("b", "exec sleep 1000")), "b alone")
	r.pidOf("b")
	r.until("a is gone", func() bool { return r.status("a").Service == "" })
}

// An answer to a question that is not asked any longer is nobody's.
func TestAnswersOfFormerProbesAreDropped(t *testing.T) {
	s := serviceOf("a", "exec sleep 1000")
	s.Probes = []plan.Probe{silent(t)}
	r := begun(t, planOf(s))
	r.until("a runs", func() bool { return r.status("a").State == control.Running })
	changed := s
	changed.Probes = []plan.Probe{s.Probes[0]}
	changed.Probes[0].Failures = 999
	r.change(planOf(changed), "other probes")
	sv := r.service("a")
	r.until("the new probes are asked", func() bool { return sv.snapshot().machine.Config.Probes[0].Failures == 999 })
	number := sv.snapshot().number
	sv.send(message{event: supervise.Answer{OK: true, Name: "old"}, incarnation: number, round: 1})
	sv.send(message{event: supervise.Answer{Detail: "to be recorded", Inconclusive: true, Name: "new"}, incarnation: number, round: 2})
	r.until("the answer after it was taken", func() bool { return r.count("to be recorded") > 0 })
	if s := r.status("a"); s.State == control.Healthy {
		t.Error("an answer to a former probe made the service healthy")
	}
}

// A journal that somebody took away at the moment of its rotation is begun anew.
func TestJournalTakenAwayIsBegunAnew(t *testing.T) {
	f := &journalFile{path: filepath.Join(t.TempDir(), "journal")}
	defer f.close()
	keep := func(service string) {
		t.Helper()
		if err := f.add(control.Event{Decision: control.Decision{Service: service}}); err != nil {
			t.Fatal(err)
		}
		if lost, err := f.flush(); err != nil || lost != 1 {
			t.Fatal(lost, err)
		}
	}
	keep("a")
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.size = journalSize + 1
	keep("b")
	if text, err := os.ReadFile(f.path); err != nil || !strings.Contains(string(text), `"b"`) {
		t.Errorf("the journal holds %q, %v", text, err)
	}
}
