package driver

import (
	"context"
	"errors"
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

func refused(err error) bool {
	var e *control.Error
	return errors.As(err, &e) && e.Code == control.Refused
}

// Nothing but a release ends a quarantine: no start, no restart, no next supervisor, no change of the recipe. What was
// wanted before is wanted again.
func TestQuarantineOutlivesEverything(t *testing.T) {
	ctx := t.Context()
	both := planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000"))
	r := begun(t, both)
	pid := r.pidOf("a")
	r.pidOf("b")
	why := control.Caller{User: "tester", Why: "its disk dies"}
	status, err := r.Quarantine(ctx, "a", why)
	if err != nil || status.State != control.Quarantined || status.Desired != control.Down || !gone(pid) {
		t.Fatalf("got %+v, %v", status, err)
	}
	if _, err := r.Stop(ctx, "b", tester); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Quarantine(ctx, "b", why); err != nil {
		t.Fatal(err)
	}
	hold := func(r *running) {
		t.Helper()
		for name, order := range map[string]func(context.Context, string, control.Caller) (control.Status, error){"start": r.Start, "restart": r.Restart} {
			_, err := order(ctx, "a", tester)
			if !refused(err) || !strings.Contains(err.Error(), "quarantined by tester at 20") || !strings.Contains(err.Error(), "its disk dies; recipe release a ends that") {
				t.Errorf("%s: got %v", name, err)
			}
		}
		for _, name := range []string{"a", "b"} {
			if s := r.status(name); s.State != control.Quarantined || s.PID != 0 || s.Quarantine == nil || s.Quarantine.Why != "its disk dies" {
				t.Errorf("got %+v", s)
			}
		}
	}
	hold(r)
	r.change(planOf(serviceOf("a", "exec sleep 2000"), both.Services[1], serviceOf("c", "exec sleep 1000")), "another a")
	r.pidOf("c")
	hold(r)
	r.end()

	again := prepare(t, r.dir, both)
	again.begin()
	again.until("both are there", func() bool { return again.status("a").Service != "" && again.status("b").Service != "" })
	hold(again)
	if s, err := again.Release(ctx, "a", tester); err != nil || !s.IsUp() || s.Quarantine != nil {
		t.Errorf("release: %+v, %v", s, err)
	}
	if s, err := again.Release(ctx, "b", tester); err != nil || s.State != control.Stopped || s.Stop == nil || !strings.Contains(s.Reason, "stopped by tester") {
		t.Errorf("release of what was stopped before: %+v, %v", s, err)
	}
	pid = again.pidOf("a")
	if s, err := again.Release(ctx, "a", tester); err != nil || s.PID != pid {
		t.Errorf("release of what is in no quarantine: %+v, %v", s, err)
	}
	if s, err := again.Start(ctx, "b", tester); err != nil || !s.IsUp() {
		t.Errorf("start: %+v, %v", s, err)
	}
}

// A stop in quarantine is noted, and holds after the release; a quarantine that waits for its daemon to end is one.
func TestAStopInQuarantineStays(t *testing.T) {
	ctx := t.Context()
	stubborn := serviceOf("a", "trap '' TERM; while :; do sleep 0.1; done")
	stubborn.Stop.Grace = 500
	r := begun(t, planOf(stubborn))
	r.pidOf("a")
	quarantined := make(chan error, 1)
	go func() {
		_, err := r.Quarantine(ctx, "a", tester)
		quarantined <- err
	}()
	r.until("it ends", func() bool { return r.status("a").State == control.Stopping })
	if _, err := r.Start(ctx, "a", tester); !refused(err) {
		t.Errorf("a start of what goes into quarantine: %v", err)
	}
	if err := <-quarantined; err != nil {
		t.Fatal(err)
	}
	if s, err := r.Stop(ctx, "a", control.Caller{User: "another"}); err != nil || s.State != control.Quarantined {
		t.Errorf("stop: %+v, %v", s, err)
	}
	if s, err := r.Release(ctx, "a", tester); err != nil || s.State != control.Stopped || s.Stop.By != "another" {
		t.Errorf("release: %+v, %v", s, err)
	}
}

func TestATaskInQuarantineIsNotRun(t *testing.T) {
	ctx := t.Context()
	marks := filepath.Join(t.TempDir(), "marks")
	r := begun(t, tasksOf(taskOf("job", "echo run >>"+marks)))
	runs := func() int {
		data, _ := os.ReadFile(marks)
		return strings.Count(string(data), "run")
	}
	r.until("it has run", func() bool { return r.status("job").State == control.Done })
	if s, err := r.Quarantine(ctx, "job", tester); err != nil || s.State != control.Quarantined {
		t.Fatalf("got %+v, %v", s, err)
	}
	if _, err := r.Start(ctx, "job", tester); !refused(err) {
		t.Errorf("got %v", err)
	}
	if runs() != 1 {
		t.Errorf("it was run %d times", runs())
	}
	if _, err := r.Release(ctx, "job", tester); err != nil {
		t.Fatal(err)
	}
	r.until("it has run again", func() bool { return runs() == 2 })
}

// A wish that cannot be noted changes nothing, and one that cannot be read holds.
func TestAWishIsOnTheDiskBeforeItsEffect(t *testing.T) {
	ctx := t.Context()
	r := begun(t, planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")))
	pid := r.pidOf("a")
	r.write(filepath.Join(r.dir, "state/quarantined"), "a file where the folder belongs")
	if _, err := r.Quarantine(ctx, "a", tester); err == nil || !strings.Contains(err.Error(), "so it was left alone") {
		t.Errorf("got %v", err)
	}
	if got := r.status("a"); got.PID != pid || got.Quarantine != nil {
		t.Errorf("a quarantine that was not noted took effect: %+v", got)
	}
	if err := os.Remove(filepath.Join(r.dir, "state/quarantined")); err != nil {
		t.Fatal(err)
	}
	r.pidOf("b")
	r.end()
	r.write(filepath.Join(r.dir, "state/quarantined/a"), "{half")
	again := prepare(t, r.dir, planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")))
	again.begin()
	again.pidOf("b")
	if s := again.status("a"); s.State != control.Quarantined || !strings.Contains(s.Reason, "somebody") {
		t.Errorf("got %+v", s)
	}
}

func TestASignalReachesTheDaemonAlone(t *testing.T) {
	ctx := t.Context()
	r := begun(t, planOf(serviceOf("a", `trap 'echo leader' USR1; sh -c 'trap "echo child" USR1; echo ready; while :; do sleep 0.02; done' & while :; do sleep 0.02; done`)))
	pid := r.pidOf("a")
	r.until("both listen", func() bool { return logged(r, "ready\n") })
	if s, err := r.Signal(ctx, "a", "USR1", control.Caller{User: "tester", Why: "to see"}); err != nil || s.PID != pid {
		t.Fatalf("got %+v, %v", s, err)
	}
	r.until("it has come", func() bool { return logged(r, "leader\n") })
	if logged(r, "child\n") {
		t.Error("a child got the signal")
	}
	decisions, err := r.Why(ctx, "a")
	if last := decisions[len(decisions)-1]; err != nil || last.What != "signal" || !strings.Contains(last.Why, "USR1") || !strings.Contains(last.Why, "tester: to see") {
		t.Errorf("got %+v, %v", last, err)
	}
	// KILL is a death as any other.
	if _, err := r.Signal(ctx, "a", "KILL", tester); err != nil {
		t.Fatal(err)
	}
	r.until("another runs", func() bool { s := r.status("a"); return s.IsUp() && s.PID != pid })
	if _, err := r.Stop(ctx, "a", tester); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Signal(ctx, "a", "HUP", tester); !refused(err) || !strings.Contains(err.Error(), "no daemon of it runs: it is stopped") {
		t.Errorf("got %v", err)
	}
}

// 8 clients race 1,000 restarts through the socket: each is answered with a daemon that runs, and no two ever run. Of
// what they order the supervisor makes fewer incarnations, since a restart serves all who ask before it begins.
func TestRestartsThatAreRaced(t *testing.T) {
	restarts := 1000
	if testing.Short() {
		restarts = 80
	}
	dir := t.TempDir()
	// A daemon that finds another's mark ends at once with a mark of its own; killed, it leaves its mark to be taken by
	// whoever finds the process gone.
	script := `old=$(cat ` + dir + `/pid 2>/dev/null); test -n "$old" && test -e /proc/$old && echo two >>` + dir + `/two; echo $$ >` + dir + `/pid; exec sleep 1000`
	s := serviceOf("a", script)
	s.Restart.Delay, s.Restart.Cap = 1, 1
	r := begun(t, planOf(s))
	r.pidOf("a")
	path := control.SocketPath(filepath.Join(r.dir, "run"), "test")
	var all sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	began := time.Now()
	for range 8 {
		all.Go(func() {
			client := control.NewClient(path)
			for range restarts / 8 {
				before := r.status("a").PID
				s, err := client.Restart(t.Context(), "a", "")
				mu.Lock()
				if err == nil && (s.PID != before || before == 0) {
					answered++
				} else {
					t.Errorf("process %d was to be another: %+v, %v", before, s, err)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	status := r.status("a")
	t.Logf("%d restarts in %s, %d incarnations", restarts, time.Since(began), status.Restarts)
	if answered != restarts {
		t.Errorf("%d of %d were answered", answered, restarts)
	}
	if status.Restarts == 0 || status.Restarts > restarts {
		t.Errorf("%d restarts made %d incarnations", restarts, status.Restarts)
	}
	if _, err := os.Stat(dir + "/two"); err == nil {
		t.Error("two ran at once")
	}
	r.until("it runs", func() bool { return r.status("a").IsUp() })
	if err := syscall.Kill(r.pidOf("a"), 0); err != nil {
		t.Error(err)
	}
}

// set is answered when what runs has the change.
func TestSetIsAnsweredWhenItsEffectWasSeen(t *testing.T) {
	ctx := t.Context()
	s := serviceOf("a", `trap 'cat "$2"' HUP; echo "$1"; while :; do sleep 0.01; done`)
	s.Command = append(s.Command, expr.TextOf("a"), expr.FlagOf("size"), expr.PathOf("/run/a.conf"))
	s.Prepare = []plan.Step{{Template: &plan.Template{Path: expr.PathOf("/run/a.conf"), Text: expr.Fmt("level {}\n", expr.FlagOf("level")), Mode: 0o644}}}
	low, high := int64(1), int64(9)
	p := planOf(s, serviceOf("b", "exec sleep 1000"))
	p.Flags = []plan.Flag{
		{Name: "level", Type: plan.FlagEnum, Values: []string{"info", "debug"}, Default: expr.TextOf("info"), Apply: plan.Apply{Action: plan.ApplySignal, Signal: "HUP"}},
		{Name: "size", Type: plan.FlagInt, Min: &low, Max: &high, Default: expr.IntOf(3), Apply: plan.Apply{Action: plan.ApplyRestart}},
	}
	if problems := p.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	r := begun(t, p)
	pid, other := r.pidOf("a"), r.pidOf("b")
	r.until("its trap is set", func() bool { return logged(r, "3\n") })
	set := func(settings ...string) (control.Changed, error) {
		return r.Set(ctx, "a", control.Changes{Set: settings}, tester)
	}
	effect := func(c control.Changed, err error) control.FlagEffect {
		t.Helper()
		if err != nil || len(c.Effects) != 1 || c.Problem != "" {
			t.Fatalf("got %+v, %v", c, err)
		}
		return c.Effects[0]
	}
	if e := effect(set("level=debug")); e.Effect != control.Signalled || e.PID != pid {
		t.Errorf("got %+v", e)
	}
	if data, err := os.ReadFile(filepath.Join(r.dir, "root/run/a.conf")); string(data) != "level debug\n" {
		t.Errorf("the template holds %q, %v", data, err)
	}
	e := effect(set("size=4"))
	if e.Effect != control.Restarted || e.PID == pid || !e.IsUp() {
		t.Errorf("got %+v", e)
	}
	pid = e.PID
	r.until("the size has reached it", func() bool { return logged(r, "4\n") })
	if data, err := os.ReadFile(filepath.Join(r.dir, "root/etc/test/flags")); string(data) != "level=debug\nsize=4\n" {
		t.Errorf("the file holds %q, %v", data, err)
	}
	if c, err := set("size=99"); !refused(err) {
		t.Errorf("got %+v, %v", c, err)
	}
	if c, err := set("size=4"); err != nil || len(c.Effects) > 0 || c.Flags[0].Changed {
		t.Errorf("the value that it has: %+v, %v", c, err)
	}
	if got := r.pidOf("a"); got != pid {
		t.Errorf("what changes nothing made process %d of %d", got, pid)
	}
	if _, err := r.Stop(ctx, "a", tester); err != nil {
		t.Fatal(err)
	}
	if e := effect(r.Set(ctx, "a", control.Changes{Unset: []string{"size"}}, tester)); e.Effect != control.NextStart || e.State != control.Stopped {
		t.Errorf("got %+v", e)
	}
	// What cannot be used is told: here for another mistake in the file.
	r.write(filepath.Join(r.dir, "root/etc/test/flags"), "nonsense\n")
	r.until("the mistake was seen", func() bool { return r.count("no '='") > 0 })
	if c, err := set("size=5"); err != nil || !strings.Contains(c.Problem, "what runs goes on as it is: ") || !strings.Contains(c.Problem, "flags:1: no '='") {
		t.Errorf("got %+v, %v", c, err)
	}
	if got := r.pidOf("b"); got != other {
		t.Errorf("b was touched: process %d is now %d", other, got)
	}
}

func TestEventsAreToldAndResumed(t *testing.T) {
	r := begun(t, planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")))
	r.pidOf("a")
	r.pidOf("b")
	var last uint64
	watch := func(r *running, q control.Query, enough func(control.Event) bool) (seen []control.Event) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		heard := make(chan struct{})
		go func() {
			<-heard
			if q.Follow {
				r.Restart(ctx, "a", tester)
			}
		}()
		r.journal.settle()
		close(heard)
		err := r.Events(ctx, q, func(e control.Event) error {
			seen, last = append(seen, e), e.Seq
			if enough(e) {
				return errGone
			}
			return nil
		})
		if q.Follow && !errors.Is(err, errGone) || !q.Follow && err != nil {
			t.Fatalf("got %+v, %v", seen, err)
		}
		return seen
	}
	running := func(e control.Event) bool { return e.What == control.WhatState && e.State == control.Running }
	since := uint64(0)
	all := watch(r, control.Query{Since: &since}, func(control.Event) bool { return false })
	if len(all) < 4 || all[0].Seq == 0 {
		t.Fatalf("got %+v", all)
	}
	before := last
	live := watch(r, control.Query{Since: &before, Follow: true, Services: []string{"a"}}, running)
	for i, e := range live {
		if e.Service != "a" || i > 0 && e.Seq <= live[i-1].Seq {
			t.Errorf("got %+v after %+v", e, live[max(0, i-1)])
		}
	}
	if end := live[len(live)-1]; end.PID != r.pidOf("a") {
		t.Errorf("got %+v", end)
	}
	r.end()
	// The numbers go on under the next supervisor, and what the first did is still there.
	again := prepare(t, r.dir, planOf(serviceOf("a", "exec sleep 1000"), serviceOf("b", "exec sleep 1000")))
	again.begin()
	again.pidOf("a")
	resumed := watch(again, control.Query{Since: &before}, func(control.Event) bool { return false })
	if len(resumed) <= len(live) || resumed[0].Seq != before+1 {
		t.Errorf("got %+v behind %d", resumed, before)
	}
	if err := again.Events(t.Context(), control.Query{Services: []string{"c"}}, nil); err == nil {
		t.Error("an unknown service has events")
	}
}

// A viewer that does not read loses events, in whose place it is told how many; nobody waits for it.
func TestASlowViewerLosesEventsThatAreCounted(t *testing.T) {
	t.Parallel()
	j := openJournal(filepath.Join(t.TempDir(), "journal"))
	defer j.close()
	v := &viewer{events: make(chan control.Event, 4)}
	j.look(v)
	for range 10 {
		j.write(control.Event{Decision: control.Decision{Service: "a"}})
	}
	read := func() control.Event {
		e, ok := v.next(t.Context())
		if !ok {
			t.Fatal("there is no event")
		}
		return e
	}
	for want := range uint64(4) {
		if e := read(); e.Seq != want+1 {
			t.Errorf("got %+v", e)
		}
	}
	if e := read(); e.What != control.WhatLost || e.Lost != 6 || e.Seq != 10 {
		t.Errorf("got %+v", e)
	}
	for range 6 { // two of them are lost
		j.write(control.Event{Decision: control.Decision{Service: "a"}})
	}
	for range 3 {
		read()
	}
	j.write(control.Event{Decision: control.Decision{Service: "a"}})
	if e := read(); e.Seq != 14 {
		t.Errorf("got %+v", e)
	}
	if e := read(); e.Lost != 2 || e.Seq != 16 {
		t.Errorf("got %+v", e)
	}
	if e := read(); e.Seq != 17 {
		t.Errorf("got %+v", e)
	}
	j.unlook(v)
	if len(j.viewers) != 0 {
		t.Error("who has gone is still shown events")
	}
}
