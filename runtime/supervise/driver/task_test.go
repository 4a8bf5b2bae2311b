package driver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func taskOf(name, script string) plan.Task {
	return plan.Task{
		Name: name, Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(script)},
		Timeout: 20_000, Logs: plan.DefaultLogs(), Restart: &plan.Restart{Delay: 10, Cap: 100},
	}
}

func periodicOf(name, script string) plan.Task {
	t := taskOf(name, script)
	t.Every, t.Restart = 3_600_000, nil
	return t
}

func tasksOf(tasks ...plan.Task) *plan.Plan {
	return &plan.Plan{Format: plan.Format, Name: "test", Tasks: tasks}
}

// lines are what a task wrote into a file of the test's own.
func (r *running) lines(file string) []string {
	data, _ := os.ReadFile(filepath.Join(r.dir, file))
	return strings.Fields(string(data))
}

func TestATaskIsTriedUntilItHasSucceeded(t *testing.T) {
	dir := t.TempDir()
	script := fmt.Sprintf(`echo x >>%s/tries; echo "no flag yet"; test -e %[1]s/flag`, dir)
	r := prepare(t, dir, tasksOf(taskOf("once", script)))
	r.begin()
	r.until("it was tried three times", func() bool { return len(r.lines("tries")) >= 3 })
	r.write(filepath.Join(dir, "flag"), "")
	r.until("it is done", func() bool { return r.status("once").State == control.Done })
	s := r.status("once")
	if last := s.Task.LastRun(); !last.OK || last.Result != "exit 0" || !s.IsUp() || s.NextStart != nil {
		t.Errorf("done: %+v, the last run %+v", s, last)
	}
	if first := s.Task.Runs[0]; first.OK || first.Result != "exit 1" || !slices.Equal(first.Words, []string{"no flag yet"}) {
		t.Errorf("the first run: %+v", first)
	}
	tries := len(r.lines("tries"))
	r.change(tasksOf(taskOf("once", script), taskOf("other", "true")), "another task")
	r.until("the other is done", func() bool { return r.status("other").State == control.Done })
	r.change(tasksOf(taskOf("once", script+" "), taskOf("other", "true")), "another command")
	r.until("it was run again, as its command changed", func() bool { return len(r.lines("tries")) == tries+1 })
	r.end()
	again := prepare(t, dir, tasksOf(taskOf("once", script)))
	again.begin()
	again.until("it was run again by another supervisor", func() bool {
		return again.status("once").State == control.Done && len(again.lines("tries")) == tries+2
	})
	if runs := again.status("once").Task.Runs; len(runs) != tries+2 {
		t.Errorf("of %d runs %d are remembered: %+v", tries+2, len(runs), runs)
	}
}

func TestStartRunsATaskAndAnswersWhenItHasEnded(t *testing.T) {
	dir := t.TempDir()
	r := prepare(t, dir, tasksOf(periodicOf("sweep", fmt.Sprintf("echo x >>%s/runs; test -e %[1]s/flag || exit 7", dir))))
	r.begin()
	r.until("it waits for its time", func() bool { s := r.status("sweep"); return s.State == control.Waiting && s.NextStart != nil })
	if s := r.status("sweep"); len(r.lines("runs")) != 0 || time.Until(*s.NextStart) > time.Hour || !s.IsUp() {
		t.Fatalf("before its time: %+v, runs: %v", s, r.lines("runs"))
	}
	s, err := r.Start(context.Background(), "sweep", tester)
	if err != nil || s.IsUp() || len(s.Task.Runs) != 1 || s.Task.Runs[0].Result != "exit 7" || len(r.lines("runs")) != 1 {
		t.Errorf("a run that fails: %+v, %v", s, err)
	}
	r.write(filepath.Join(dir, "flag"), "")
	if s, err = r.Start(context.Background(), "sweep", tester); err != nil || !s.IsUp() || !s.Task.Runs[1].OK {
		t.Errorf("a run that succeeds: %+v, %v", s, err)
	}
	if s.NextStart == nil || time.Until(*s.NextStart) > time.Hour {
		t.Errorf("there is no next run within the hour: %v", s.NextStart)
	}
}

func TestATaskIsKilledWholeWhenItsTimeIsOver(t *testing.T) {
	dir := t.TempDir()
	task := periodicOf("stuck", fmt.Sprintf(`trap '' TERM; setsid sh -c 'trap "" TERM; echo $$ >>%s/pids; while :; do sleep 1000; done' & echo $$ >>%[1]s/pids; wait; sleep 1000`, dir))
	task.Timeout = 1500
	r := prepare(t, dir, tasksOf(task))
	r.begin()
	r.until("it waits for its time", func() bool { return r.status("stuck").State == control.Waiting })
	s, err := r.Start(context.Background(), "stuck", tester)
	if err != nil || s.IsUp() || !strings.Contains(s.Task.Runs[0].Result, "it did not end within 1500ms") {
		t.Fatalf("%+v, %v", s, err)
	}
	pids := r.lines("pids")
	if len(pids) != 2 {
		t.Fatalf("it told the pids %v, which is not two", pids)
	}
	for _, pid := range pids {
		var n int
		fmt.Sscan(pid, &n)
		if !gone(n) {
			t.Errorf("process %d lives after the run has ended", n)
		}
	}
}

func TestARunThatIsUnderWayIsNotDoubled(t *testing.T) {
	dir := t.TempDir()
	r := prepare(t, dir, tasksOf(periodicOf("long", fmt.Sprintf("echo x >>%s/runs; while ! test -e %[1]s/flag; do sleep 0.01; done", dir))))
	r.begin()
	r.until("it waits for its time", func() bool { return r.status("long").State == control.Waiting })
	answers := make(chan error, 2)
	start := func() {
		s, err := r.Start(context.Background(), "long", tester)
		if err == nil && !s.IsUp() {
			err = fmt.Errorf("%+v", s)
		}
		answers <- err
	}
	go start()
	r.until("it runs", func() bool { return len(r.lines("runs")) == 1 })
	go start()
	r.until("the second order was taken", func() bool { return r.count("a run is under way already") == 1 })
	select {
	case err := <-answers:
		t.Fatalf("an order was answered before the run ended: %v", err)
	default:
	}
	r.write(filepath.Join(dir, "flag"), "")
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if runs := r.lines("runs"); len(runs) != 1 {
		t.Errorf("it ran %d times", len(runs))
	}
}

func TestAStoppedTaskStaysStopped(t *testing.T) {
	dir := t.TempDir()
	p := tasksOf(taskOf("once", "exec sleep 1000"))
	r := prepare(t, dir, p)
	r.begin()
	r.until("it runs", func() bool { return r.status("once").State == control.Running })
	pid := r.status("once").PID
	s, err := r.Stop(context.Background(), "once", control.Caller{User: "tester", Why: "repair"})
	if err != nil || s.State != control.Stopped || !gone(pid) || s.IsUp() {
		t.Fatalf("stop: %+v, %v", s, err)
	}
	r.end()
	again := prepare(t, dir, &plan.Plan{Format: plan.Format, Name: "test", Tasks: p.Tasks, Services: []plan.Service{serviceOf("a", "exec sleep 1000")}})
	again.begin()
	again.pidOf("a")
	if s := again.status("once"); s.State != control.Stopped || !strings.Contains(s.Reason, "repair") {
		t.Errorf("another supervisor has it %+v", s)
	}
}

func TestATaskComesAfterHealthyServices(t *testing.T) {
	dir := t.TempDir()
	task := taskOf("once", fmt.Sprintf("test -e %s/ready && echo x >>%[1]s/runs", dir))
	task.After = []string{"a"}
	a := serviceOf("a", fmt.Sprintf("echo x >%s/ready; exec sleep 1000", dir))
	a.Prepare = []plan.Step{{Run: &plan.Run{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(fmt.Sprintf("while ! test -e %s/flag; do sleep 0.01; done", dir))}, Timeout: 20_000}}}
	r := prepare(t, dir, &plan.Plan{Format: plan.Format, Name: "test", Tasks: []plan.Task{task}, Services: []plan.Service{a}})
	r.begin()
	r.until("it waits for the service", func() bool { return r.count("once: wait: comes after a") == 1 })
	r.write(filepath.Join(dir, "flag"), "")
	r.until("it is done", func() bool { return r.status("once").State == control.Done })
	if runs := r.status("once").Task.Runs; len(runs) == 0 || len(r.lines("runs")) != 1 {
		t.Errorf("runs: %+v", runs)
	}
}

func TestATaskDoesNotBecomeAService(t *testing.T) {
	r := begun(t, tasksOf(periodicOf("a", "true")))
	r.until("it waits", func() bool { return r.status("a").State == control.Waiting })
	r.change(planOf(serviceOf("a", "exec sleep 1000")), "a service")
	r.until("the change is refused", func() bool { return r.count("one is a service and the other a task") > 0 })
	if s := r.status("a"); s.Task == nil || s.State != control.Waiting {
		t.Errorf("%+v", s)
	}
}

// A crash in the middle of a run leaves a run without an end.
func TestHistoryTellsOfARunThatWasCutShort(t *testing.T) {
	dir := t.TempDir()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var h history
	for range mostRuns + 5 {
		h.add(control.Run{Began: began})
	}
	if err := h.write(dir, "a"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(historyPath(dir, "a")); err != nil || info.Mode().Perm() != 0o640 { // as the log that its words are in
		t.Errorf("its file: %v, %v", info.Mode(), err)
	}
	got := readHistory(dir, "a")
	if len(got.Runs) != mostRuns || got.Runs[0].Ended == nil || got.Runs[0].OK || !got.last().Equal(began) {
		t.Errorf("%d runs, the first %+v", len(got.Runs), got.Runs[0])
	}
	if err := os.WriteFile(historyPath(dir, "a"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := readHistory(dir, "a"); len(got.Runs) != 0 {
		t.Errorf("of a broken file: %+v", got)
	}
}

// 300 hosts with tasks of an hour are spread over it: no minute has more than chance gives it.
func TestPhasesSpreadHosts(t *testing.T) {
	minutes := map[time.Duration]int{}
	for i := range 300 {
		p := phase(fmt.Sprintf("%032x", i), "sweep", time.Hour)
		if p < 0 || p >= time.Hour {
			t.Fatalf("phase %s", p)
		}
		minutes[p/time.Minute]++
	}
	most := 0
	for _, n := range minutes {
		most = max(most, n)
	}
	if len(minutes) < 55 || most > 15 { // 5 each on average
		t.Errorf("%d minutes are taken, one by %d hosts", len(minutes), most)
	}
	if phase("a", "x", time.Hour) != phase("a", "x", time.Hour) || phase("a", "x", time.Hour) == phase("a", "y", time.Hour) {
		t.Error("a phase is not the host's and the task's own")
	}
}

func TestAlarmRingsAtItsTime(t *testing.T) {
	rings := make(chan time.Time, 10)
	a, err := newAlarm(func() { rings <- time.Now() })
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	due := time.Now().Add(50 * time.Millisecond).Round(0)
	a.at(time.Now().Add(time.Hour))
	a.at(due)
	if rung := <-rings; rung.Round(0).Before(due) {
		t.Errorf("it rang at %s, and was set for %s", rung, due)
	}
	a.at(due) // what is past rings at once
	<-rings
}
