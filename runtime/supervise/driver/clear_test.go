package driver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/plan"
)

// What an earlier supervisor left, and what does not die, keeps its own service from being started, and no other. What
// holds the lock in its place is this test, which no supervisor in it kills.
func TestWhatDoesNotDieHoldsUpItsOwnServiceAlone(t *testing.T) {
	r := prepare(t, t.TempDir(), planOf(serviceOf("stuck", "exec sleep 1000"), serviceOf("a", "exec sleep 1000")))
	release := holdLock(t, r, "stuck")
	r.begin()
	r.pidOf("a")
	if s := r.status("stuck"); s.State != control.Stopping || !strings.Contains(s.Reason, "an earlier supervisor left") {
		t.Errorf("with something left of it: %s: %s", s.State, s.Reason)
	}
	if r.Supervisor.begun() {
		t.Error("the init is told that all is ready")
	}
	// Nor does one that a changed recipe adds hold up what else the recipe changes.
	more := holdLock(t, r, "more")
	r.change(planOf(serviceOf("stuck", "exec sleep 1000"), serviceOf("a", "exec sleep 1000"), serviceOf("more", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")), "two more")
	r.pidOf("b")
	// A stop is done when nothing is left.
	stopped := make(chan error, 1)
	go func() {
		_, err := r.Stop(context.Background(), "more", control.Caller{User: "tester"})
		stopped <- err
	}()
	r.until("the stop is noted", func() bool { return r.status("more").Stop != nil })
	select {
	case err := <-stopped:
		t.Errorf("a stop was answered while something was left: %v", err)
	default:
	}
	more()
	if err := <-stopped; err != nil || r.status("more").State != control.Stopped {
		t.Errorf("the stop: %v, %s", err, r.status("more").State)
	}
	release()
	r.pidOf("stuck")
	r.until("all is ready", r.Supervisor.begun)
}

// A task whose last run was left goes by its calendar once that has ended, and a run that never was has no end.
func TestALeftoverOfATaskIsNoRun(t *testing.T) {
	p := planOf()
	p.Tasks = []plan.Task{taskOf("once", "echo done"), taskOf("daily", "echo done")}
	p.Tasks[1].Every = plan.Duration(24 * time.Hour / time.Millisecond)
	r := prepare(t, t.TempDir(), p)
	once, daily := holdLock(t, r, "once"), holdLock(t, r, "daily")
	r.begin()
	r.until("both wait", func() bool {
		return r.status("once").State == control.Stopping && r.status("daily").State == control.Stopping
	})
	once()
	daily()
	r.until("one is done", func() bool { return r.status("once").State == control.Done })
	r.until("the other waits for its time", func() bool { return r.status("daily").State == control.Waiting })
	if runs := r.status("once").Task.Runs; len(runs) != 1 {
		t.Errorf("runs of the one: %+v", runs)
	}
	if runs := r.status("daily").Task.Runs; len(runs) != 0 {
		t.Errorf("runs of the other: %+v", runs)
	}
}

// holdLock holds the lock of an incarnation of the service until release is called.
func holdLock(t *testing.T, r *running, service string) (release func()) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(r.dir, "run", "locks", "incarnation", service), os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return func() { file.Close() }
}
