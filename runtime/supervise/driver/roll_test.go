package driver

import (
	"fmt"
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
	"recipe/runtime/supervise"
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
		return r.roll.current == nil && len(r.roll.waiting) == 0
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
	r.until("a is told", func() bool { return r.toldLast("a") == "exec sleep 1000 # two" })
	r.until("b is told", func() bool { return r.toldLast("b") == "exec sleep 1000 # two" })
	r.untouched(before, "c")
	if s := r.status("b"); s.State != control.Stopped {
		t.Errorf("b is %s", s.State)
	}
}

// A start that is spawned with what was before, when b is to be told and has not been, is no failure of the change.
func TestAChangeThatASpawnOvertakes(t *testing.T) {
	r := rolling(t)
	before := r.pids()
	broken := rolled(r.dir, "broken")
	broken.Service("b").Command[2] = expr.TextOf("exit 3")
	broken.Service("b").Restart = plan.Restart{Delay: 3_600_000, Cap: 3_600_000, StableAfter: 60_000}
	r.change(broken, "broken")
	r.until("the roll is stopped", func() bool {
		return r.decided("a", "roll: the change waits, and what runs goes on: b did not become ready with it")
	})
	r.until("b waits", func() bool { return r.status("b").State == control.Waiting })
	gate := make(chan struct{})
	b := r.service("b")
	b.send(message{do: func() { <-gate }})
	b.send(message{event: supervise.Start{Why: "tried again"}})
	r.change(rolled(r.dir, "three"), "three")
	r.until("b is to be told", func() bool { return r.toldLast("b") == "exec sleep 1000 # three" })
	close(gate)
	r.untouched(before, "a", "c")
	for _, name := range []string{"b", "a", "c"} {
		r.ready(name, "three")
		r.anew(name, before)
		r.healthy(name)
	}
	decisions, _ := r.Why(t.Context(), "b")
	failures := 0
	for _, d := range decisions {
		if strings.HasPrefix(d.Why, "it did not become ready") {
			failures++
		}
	}
	if failures != 1 {
		t.Errorf("b failed %d times: %v", failures, decisions)
	}
}

// toldLast is the script that a service was told last.
func (r *running) toldLast(name string) string { return r.roll.last(name).spec.Command[2].Text }

// One that is waited for and is only sent a signal meanwhile is waited for as it is.
func TestASignalInTheMidstOfARoll(t *testing.T) {
	dir := t.TempDir()
	flagged := func(version string) *plan.Plan {
		p := rolled(dir, version)
		p.Flags = []plan.Flag{{Name: "level", Type: plan.FlagInt, Default: expr.IntOf(1), Apply: plan.Apply{Action: plan.ApplySignal, Signal: "HUP"}}}
		b := p.Service("b")
		b.Command[2] = expr.TextOf("trap : HUP; while :; do sleep 0.1; done # " + version)
		b.Prepare = []plan.Step{{Template: &plan.Template{Path: expr.PathOf("/run/b.conf"), Text: expr.Fmt("level {}\n", expr.FlagOf("level")), Mode: 0o644}}}
		return p
	}
	r := prepare(t, dir, flagged("one"))
	for _, name := range []string{"a", "b", "c"} {
		r.ready(name, "one")
	}
	r.begin()
	for _, name := range []string{"a", "b", "c"} {
		r.healthy(name)
	}
	before := r.pids()
	r.change(flagged("two"), "two")
	r.anew("b", before)
	r.until("b runs", func() bool { return r.status("b").State == control.Running })
	now := r.pids()
	r.write(filepath.Join(dir, "root/etc/test/flags"), "level=2\n")
	r.until("b is told", func() bool { return r.decided("b", "flag level: 1 -> 2") })
	for _, name := range []string{"b", "a", "c"} {
		r.ready(name, "two")
		r.healthy(name)
		r.anew(name, before)
	}
	r.untouched(now, "b")
}

// What fails in one recipe holds up no other.
func TestAFailedRollHoldsUpItsRecipeAlone(t *testing.T) {
	dir := t.TempDir()
	other := func(version string) *plan.Plan {
		return named("other", serviceOf("x", "exec sleep 1000 # "+version), serviceOf("y", "exec sleep 1000 # "+version))
	}
	r := prepare(t, dir, rolled(dir, "one"), other("one"))
	r.roll.pause = time.Millisecond
	for _, name := range []string{"a", "b", "c"} {
		r.ready(name, "one")
	}
	r.begin()
	for _, name := range []string{"a", "b", "c"} {
		r.healthy(name)
	}
	r.pidOf("x")
	r.pidOf("y")
	before := r.pids()
	broken := rolled(dir, "broken")
	broken.Service("b").Command[2] = expr.TextOf("exit 3")
	r.change(broken, "broken")
	r.until("the roll is stopped", func() bool { return r.decided("a", "roll: the change waits, and what runs goes on: b did") })
	file := filepath.Join(dir, "other.star")
	r.mu.Lock()
	r.others[file] = other("two")
	r.mu.Unlock()
	r.write(file, "two")
	r.anew("x", before)
	r.anew("y", before)
	r.untouched(before, "a", "c")
	if _, err := r.Restart(t.Context(), "c", tester); err != nil {
		t.Fatal(err)
	}
	r.untouched(before, "a")
	r.ready("c", "broken")
	r.until("a is told", func() bool { return r.toldLast("a") == "exec sleep 1000 # broken" })
}

// Whatever becomes of the one that is waited for, the others have their turn, or none where it is not theirs any more.
func TestARollGoesOnWithout(t *testing.T) {
	for name, end := range map[string]func(r *running) error{
		"one that is stopped": func(r *running) error {
			_, err := r.Stop(r.t.Context(), "b", tester)
			return err
		},
		"one in quarantine": func(r *running) error {
			_, err := r.Quarantine(r.t.Context(), "b", tester)
			return err
		},
		"one that is dropped": func(r *running) error {
			p := rolled(r.dir, "two")
			p.Services = slices.DeleteFunc(p.Services, func(s plan.Service) bool { return s.Name == "b" })
			p.Service("a").After = nil
			r.change(p, "two without b")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rolling(t)
			before := r.pids()
			r.change(rolled(r.dir, "two"), "two")
			r.anew("b", before)
			r.until("the others are told that they wait", func() bool {
				return r.decided("a", "the change waits for its turn, and what runs goes on: this is restarted when b is ready with it") && r.decided("c", "this is restarted when a is ready")
			})
			r.untouched(before, "a", "c")
			if err := end(r); err != nil {
				t.Fatal(err)
			}
			if name == "one that is dropped" {
				r.anew("a", before)
				now := r.pids()
				r.ready("a", "two")
				r.anew("c", before)
				r.untouched(now, "a")
				return
			}
			r.until("a is told", func() bool { return r.toldLast("a") == "exec sleep 1000 # two" })
			r.untouched(before, "c")
		})
	}
}

// A task has its change at once, and nobody waits for it.
func TestATaskWaitsForNoTurn(t *testing.T) {
	dir := t.TempDir()
	with := func(version string) *plan.Plan {
		p := rolled(dir, version)
		p.Tasks = []plan.Task{taskOf("t", "echo "+version)}
		return p
	}
	r := prepare(t, dir, with("one"))
	for _, name := range []string{"a", "b", "c"} {
		r.ready(name, "one")
	}
	r.begin()
	for _, name := range []string{"a", "b", "c"} {
		r.healthy(name)
	}
	before := r.pids()
	r.change(with("two"), "two")
	r.until("the task has run twice", func() bool { s := r.status("t"); return len(s.Task.Runs) == 2 && s.State == control.Done })
	r.untouched(before, "a", "c")
	r.ready("b", "two")
	r.anew("a", before)
	r.untouched(before, "c")
}
