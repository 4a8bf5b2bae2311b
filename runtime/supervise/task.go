package supervise

import (
	"fmt"
	"time"

	"recipe/runtime/plan"
)

// TaskConfig is what of a task's plan the machine needs. Phase is where in the interval this host runs it.
type TaskConfig struct {
	Every   time.Duration // 0: once
	Jitter  time.Duration
	Timeout time.Duration
	Phase   time.Duration // in [0, Every)
	Restart *plan.Restart // nil: a run that failed is not tried again before its next time
	Stop    plan.Stop
}

// Task is the machine of a command that ends: run once until it has succeeded, or once an interval for ever.
//
// Rules, beside those of the package:
//
//   - Never overlaps: a run is ordered only after Emptied has told that nothing of the last one is left.
//
//   - Every run ends: it is killed Timeout after its spawn, preparation included.
//
//   - A periodic task that is wanted is under way, or has a next run at most Every+Jitter away, whatever the clock did.
//
//   - Times that passed while the host slept or the supervisor was away are made up for by one run, not by many.
//
// The table tasks is the whole of it.
//
// Times of the calendar are wall-clock time; timeouts and delays are of the monotonic clock where now carries one.
type Task struct {
	Machine
	Task TaskConfig
	Last time.Time // when the last run began, by the wall clock; zero for never

	began     time.Time // the run that is under way
	succeeded bool      // its leader ended well
}

// NewTask makes the machine of a task that is stopped. last is when it ran last, under whatever supervisor.
func NewTask(config TaskConfig, seed uint64, last time.Time) Task {
	t := Task{Machine: New(Config{}, seed), Last: last}
	t.take(config)
	return t
}

func (t *Task) take(config TaskConfig) {
	t.Task = config
	t.Config.Stop = config.Stop
	if config.Restart != nil {
		t.Config.Restart = *config.Restart
	}
}

// Step takes one event, as Machine.Step does.
func (t Task) Step(now time.Time, event Event) (Task, []Action) {
	s := taskStep{step: step{Machine: t.Machine, now: now}, task: &t}
	tasks.react(&s, t.State, event)
	t.Machine = s.Machine
	return t, s.actions
}

// taskStep is one transition of a task under way; step has what services do alike.
type taskStep struct {
	step
	task *Task
}

func (s *taskStep) begin(e Start) {
	s.Wanted = true
	s.record("start", "%s", e.Why)
	if s.task.Task.Every == 0 {
		s.queue(e.Why)
		return
	}
	s.resume(e.Why)
}

func (s *taskStep) want(Start) { s.Wanted = true }

// resume schedules the first run under this supervisor, and makes up for one that was missed before it.
func (s *taskStep) resume(why string) {
	last, slot := s.task.Last, s.slotBefore()
	if last.IsZero() || !last.Before(slot) || last.After(s.now) {
		s.schedule(why)
		return
	}
	why = fmt.Sprintf("the run of %s was missed", slot.UTC().Format("2006-01-02 15:04:05 MST"))
	s.record("missed", "%s: one run makes up for it", why)
	s.enter(Waiting, s.wall().Add(s.task.Task.Phase/10+s.jitter()), why)
}

func (s *taskStep) run(e RunNow) {
	s.Wanted = true
	s.record("run", "%s", e.Why)
	s.queue(e.Why)
}

func (s *taskStep) runAfter(e RunNow) {
	s.Wanted, s.atOnce = true, true
	s.record("run", "%s, as soon as nothing of the last run is left", e.Why)
}

func (s *taskStep) runUnderWay(e RunNow) { s.record("run", "%s: a run is under way already", e.Why) }

func (s *taskStep) restartDone(e Restart) {
	s.record("restart", "%s", e.Why)
	s.queue(e.Why)
}

func (s *taskStep) stopKilling(e Stop) {
	s.Wanted, s.atOnce = false, false
	s.record("stop", "%s; it is ending already", e.Why)
}

func (s *taskStep) configure(e ConfigureTask) {
	// take works on the whole; the step holds the machine meanwhile.
	s.task.Machine = s.Machine
	s.task.take(e.Config)
	s.Machine = s.task.Machine
}

func (s *taskStep) configureRun(e ConfigureTask) {
	s.configure(e)
	s.Due = s.task.began.Add(e.Config.Timeout)
}

// configureIdle keeps the schedule to its new slots.
func (s *taskStep) configureIdle(e ConfigureTask) {
	before, after := s.task.Task, e.Config
	s.configure(e)
	switch moved := before.Every != after.Every || before.Jitter != after.Jitter || before.Phase != after.Phase; {
	case moved && after.Every > 0:
		s.schedule("the recipe changed when it is run")
	case moved && s.State == Waiting:
		s.queue("the recipe has it run once")
	case s.State == Waiting && s.Due.Sub(s.now) > s.longest():
		s.setBack()
	}
}

func (s *taskStep) timeCome(Timer) {
	switch {
	case s.Due.IsZero():
	case s.Due.Sub(s.now) > s.longest():
		s.setBack()
	case s.due():
		s.queue(s.Reason)
	}
}

func (s *taskStep) timeout(Timer) {
	if !s.due() {
		return
	}
	s.ending = fmt.Sprintf("it did not end within %s", plan.Duration(s.task.Task.Timeout.Milliseconds()))
	s.record("kill", "%s", s.ending)
	s.kill(s.ending)
}

// longest is the most that any wait of the task can be.
func (s *taskStep) longest() time.Duration {
	if s.task.Task.Every > 0 {
		return s.task.Task.Every + s.task.Task.Jitter
	}
	return s.Config.Restart.Cap.Std()
}

// setBack waits anew after the clock was set back.
func (s *taskStep) setBack() {
	if s.task.Task.Every > 0 {
		s.schedule(s.Reason)
		return
	}
	s.enter(Waiting, s.now.Add(s.longest()), s.Reason)
}

func (s *taskStep) admitted(e Admitted) {
	s.step.admitted(e)
	s.task.began, s.task.succeeded = s.now, false
	s.task.Last = s.wall()
	s.Due = s.now.Add(s.task.Task.Timeout)
}

// executed leaves Due: the timeout counts from the spawn.
func (s *taskStep) executed(Executed) {
	s.Executed = s.now
	s.enter(Running, s.Due, s.Reason)
}

func (s *taskStep) spawnFailed(e SpawnFailed) { s.finish(false, "cannot start: "+e.Reason) }

func (s *taskStep) exitedRunning(e Exited) {
	s.task.succeeded, s.ending, s.unsaid = e.OK, e.Status, true
	s.kill(s.ending)
}

func (s *taskStep) emptied(e Emptied) {
	if s.inherited {
		s.cleared(e)
		s.goOn()
		return
	}
	reason := s.ending
	if e.Left > 0 {
		reason += fmt.Sprintf("; %d more of its tree killed", e.Left)
	}
	s.finish(s.task.succeeded, reason)
}

// goOn does what was ordered while there was something to be cleared.
func (s *taskStep) goOn() {
	switch {
	case !s.Wanted:
		s.enter(Stopped, time.Time{}, s.Reason)
	case s.atOnce || s.task.Task.Every == 0:
		s.queue(s.Reason)
	default:
		s.resume(s.Reason)
	}
}

// finish ends a run and chooses what is next.
func (s *taskStep) finish(ok bool, reason string) {
	s.do(Ran{OK: ok, Result: reason})
	switch {
	case !s.Wanted:
		s.record("stopped", "%s", reason)
		s.enter(Stopped, time.Time{}, reason)
	case s.atOnce:
		s.again(reason)
	case ok:
		s.Deaths = 0
		s.record("done", "%s, after %s", reason, s.now.Sub(s.task.began).Round(time.Millisecond))
		if s.task.Task.Every == 0 {
			s.enter(Done, time.Time{}, reason)
			return
		}
		s.schedule(reason)
	default:
		s.retry(reason)
	}
}

// retry waits for the next time of the calendar or for the next try, whichever comes first.
func (s *taskStep) retry(reason string) {
	s.Deaths++
	if s.task.Task.Every > 0 {
		s.schedule(reason)
	}
	due := s.now.Add(s.backoff(s.Deaths - 1))
	if s.task.Task.Restart == nil || s.task.Task.Every > 0 && s.Due.Before(due) {
		s.record("failed", "%s; next at its time, %s", reason, s.Due.UTC().Format("2006-01-02 15:04:05 MST"))
		return
	}
	s.record("failed", "%s; again in %s, after %d in a row", reason, due.Sub(s.now).Round(time.Millisecond), s.Deaths)
	s.enter(Waiting, due, reason)
}

// schedule waits for the next slot.
func (s *taskStep) schedule(reason string) {
	s.enter(Waiting, s.slotBefore().Add(s.task.Task.Every+s.jitter()), reason)
}

// wall is now without the monotonic clock, which would stand still while the host sleeps.
func (s *taskStep) wall() time.Time { return s.now.Round(0) }

// slotBefore is when the interval that goes on now began for this host.
func (s *taskStep) slotBefore() time.Time {
	every, phase := s.task.Task.Every, s.task.Task.Phase
	into := (time.Duration(s.now.UnixNano()) - phase) % every
	if into < 0 {
		into += every
	}
	return s.wall().Add(-into)
}

func (s *taskStep) jitter() time.Duration {
	return time.Duration(float64(s.task.Task.Jitter) * s.random())
}
