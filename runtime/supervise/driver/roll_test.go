package driver

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// rolled is a plan of services that are ready once a file of their version is there: a comes after b.
func rolled(dir, version string) *plan.Plan {
	var services []plan.Service
	for _, name := range []string{"a", "b", "c"} {
		s := serviceOf(name, "exec sleep 1000 # "+version)
		s.Probes = []plan.Probe{{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"),
			expr.TextOf(fmt.Sprintf("test -e %s/%s-%s", dir, name, version))}}, Every: 100, Timeout: 1000, Failures: 1000, Successes: 1, StartWithin: 60_000}}
		services = append(services, s)
	}
	services[0].After = []string{"b"}
	return planOf(services...)
}

// ready lets a service of a version be ready.
func (r *running) ready(name, version string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name+"-"+version), nil, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) pids() map[string]int {
	all := map[string]int{}
	for _, s := range r.Status(r.t.Context()) {
		all[s.Service] = s.PID
	}
	return all
}

func rolling(t *testing.T) *running {
	t.Helper()
	dir := t.TempDir()
	r := prepare(t, dir, rolled(dir, "one"))
	for _, name := range []string{"a", "b", "c"} {
		r.ready(name, "one")
	}
	r.begin()
	for _, name := range []string{"a", "b", "c"} {
		r.healthy(name)
	}
	return r
}

func (r *running) healthy(name string) {
	r.t.Helper()
	r.until(name+" is healthy", func() bool { return r.status(name).State == control.Healthy })
}

func (r *running) decided(name, part string) bool {
	decisions, err := r.Why(r.t.Context(), name)
	return err == nil && slices.ContainsFunc(decisions, func(d control.Decision) bool { return strings.Contains(d.What+": "+d.Why, part) })
}

// anew waits for another process of the service.
func (r *running) anew(name string, before map[string]int) {
	r.t.Helper()
	r.until(name+" is another process", func() bool { s := r.status(name); return s.PID != 0 && s.PID != before[name] })
}

func (r *running) untouched(before map[string]int, names ...string) {
	r.t.Helper()
	for _, name := range names {
		if now := r.status(name).PID; now != before[name] {
			r.t.Errorf("%s was restarted: process %d is now %d", name, before[name], now)
		}
	}
}

func TestAChangeRestartsOneAtATime(t *testing.T) {
	r := rolling(t)
	before := r.pids()
	r.change(rolled(r.dir, "two"), "two")
	r.anew("b", before)
	r.until("its probe has been asked", func() bool { s := r.status("b"); return s.State == control.Running })
	r.untouched(before, "a", "c")
	r.ready("b", "two")
	r.anew("a", before)
	r.untouched(before, "c")
	// One that crashes while it waits comes back as it was.
	killed := r.status("c").PID
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.until("c is back", func() bool { s := r.status("c"); return s.PID != killed && s.State == control.Healthy })
	before = r.pids()
	r.ready("a", "two")
	r.anew("c", before)
	r.ready("c", "two")
	r.healthy("c")
	r.untouched(before, "a", "b")
}

func TestARollStopsAtAFailure(t *testing.T) {
	r := rolling(t)
	before := r.pids()
	broken := rolled(r.dir, "broken")
	broken.Service("b").Command[2] = expr.TextOf("exit 3")
	r.change(broken, "broken")
	r.until("the roll is stopped", func() bool {
		return r.decided("b", "roll: it did not become ready with the change, so that a, c go on as they are")
	})
	r.until("a is told", func() bool {
		return r.decided("a", "roll: the change waits, and what runs goes on: b did not become ready with it")
	})
	r.untouched(before, "a", "c")
	r.change(rolled(r.dir, "three"), "three")
	r.until("b runs", func() bool { return r.status("b").State == control.Running })
	r.untouched(before, "a", "c")
	for _, name := range []string{"b", "a", "c"} {
		r.ready(name, "three")
		r.healthy(name)
		r.anew(name, before)
	}
}

// A change that is taken back in the midst of its roll leaves those alone that it has not reached.
func TestARollIsTakenBack(t *testing.T) {
	r := rolling(t)
	before := r.pids()
	r.change(rolled(r.dir, "two"), "two")
	r.anew("b", before)
	r.change(rolled(r.dir, "one"), "one again")
	r.healthy("b")
	r.until("the roll is over", func() bool {
		r.roll.mu.Lock()
		defer r.roll.mu.Unlock()
		return r.roll.current == "" && len(r.roll.waiting) == 0
	})
	r.untouched(before, "a", "c")
}

// Whoever restarts one that waits has it told what waits, and the roll goes on when it is ready.
func TestARestartGoesOnWithARoll(t *testing.T) {
	r := rolling(t)
	before := r.pids()
	broken := rolled(r.dir, "two")
	for i := range broken.Services {
		broken.Services[i].After = nil
	}
	broken.Service("a").Command[2] = expr.TextOf("exit 3")
	r.change(broken, "broken")
	r.until("the roll is stopped", func() bool { return r.decided("a", "roll: ") })
	if s, err := r.Restart(t.Context(), "b", tester); err != nil || s.PID == before["b"] {
		t.Fatalf("%+v, %v", s, err)
	}
	if r.service("b").snapshot().digest != r.service("a").snapshot().digest {
		t.Error("b was restarted as it was before the change")
	}
	r.untouched(before, "c")
	r.ready("b", "two")
	r.anew("c", before)
}

func TestWhatDoesNotRunDoesNotWait(t *testing.T) {
	r := rolling(t)
	if _, err := r.Stop(t.Context(), "b", tester); err != nil {
		t.Fatal(err)
	}
	before := r.pids()
	r.change(rolled(r.dir, "two"), "two")
	r.until("a is told", func() bool { return r.roll.last("a").spec.Command[2].Text == "exec sleep 1000 # two" })
	r.until("b is told", func() bool { return r.roll.last("b").spec.Command[2].Text == "exec sleep 1000 # two" })
	r.untouched(before, "c")
	if s := r.status("b"); s.State != control.Stopped {
		t.Errorf("b is %s", s.State)
	}
}
