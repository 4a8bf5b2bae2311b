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
//     stopped --start--> waiting --due--> queued --admitted--> starting --exec--> running --exit--> killing --empty-->
//     waiting | done | stopped
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
	switch e := event.(type) {
	case Start:
		s.start(e)
	case RunNow:
		s.runNow(e.Why)
	case Restart:
		s.restart(e)
	case Stop:
		s.stop(e)
	case ConfigureTask:
		s.configure(e.Config)
	case Hasten:
		if s.State == Ending {
			s.record("kill", "%s", e.Why)
			s.kill(e.Why)
		}
	case Timer:
		s.timer()
	case Admitted:
		s.admitted()
	case Executed:
		if s.State == Starting {
			s.Executed = now
			s.enter(Running, s.Due, s.Reason)
		}
	case NotSane:
		s.insane = e.Reason
	case SpawnFailed:
		if s.State == Starting {
			s.finish(false, "cannot start: "+e.Reason)
		}
	case Exited:
		s.exited(e)
	case Emptied:
		s.emptied(e)
	}
	t.Machine = s.Machine
	return t, s.actions
}

// taskStep is one transition of a task under way; step has what services do alike.
type taskStep struct {
	step
	task *Task
}

func (s *taskStep) start(e Start) {
	s.Wanted = true
	if s.State != Stopped {
		return
	}
	s.record("start", "%s", e.Why)
	if s.task.Task.Every == 0 {
		s.queue(e.Why)
		return
	}
	s.resume(e.Why)
}

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

func (s *taskStep) runNow(why string) {
	s.Wanted = true
	switch s.State {
	case Stopped, Waiting, Done:
		s.record("run", "%s", why)
		s.queue(why)
	case Ending, Killing:
		s.record("run", "%s, as soon as nothing of the last run is left", why)
		s.atOnce = true
	default:
		s.record("run", "%s: a run is under way already", why)
	}
}

func (s *taskStep) restart(e Restart) {
	if s.State != Done {
		s.step.restart(e)
		return
	}
	s.record("restart", "%s", e.Why)
	s.queue(e.Why)
}

func (s *taskStep) stop(e Stop) {
	switch s.State {
	case Done:
	case Killing: // how the run ended is known already
		s.Wanted, s.atOnce = false, false
		s.record("stop", "%s; it is ending already", e.Why)
		return
	default:
		s.step.stop(e)
		return
	}
	s.Wanted = false
	s.record("stop", "%s; nothing was running", e.Why)
	s.enter(Stopped, time.Time{}, e.Why)
}

// configure keeps a run that is under way within its new time, and a schedule to its new slots.
func (s *taskStep) configure(config TaskConfig) {
	before := s.task.Task
	// take works on the whole; the step holds the machine meanwhile.
	s.task.Machine = s.Machine
	s.task.take(config)
	s.Machine = s.task.Machine
	moved := before.Every != config.Every || before.Jitter != config.Jitter || before.Phase != config.Phase
	switch {
	case s.State == Starting || s.State == Running:
		s.Due = s.task.began.Add(config.Timeout)
	case moved && config.Every > 0 && (s.State == Waiting || s.State == Done):
		s.schedule("the recipe changed when it is run")
	case moved && config.Every == 0 && s.State == Waiting:
		s.queue("the recipe has it run once")
	}
}

func (s *taskStep) timer() {
	switch {
	case s.Due.IsZero():
	case s.State == Waiting && s.Due.Sub(s.now) > s.longest():
		s.setBack()
	case s.now.Before(s.Due):
	case s.State == Starting || s.State == Running:
		s.ending = fmt.Sprintf("it did not end within %s", plan.Duration(s.task.Task.Timeout.Milliseconds()))
		s.record("kill", "%s", s.ending)
		s.kill(s.ending)
	default:
		s.step.timer()
	}
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

func (s *taskStep) admitted() {
	if s.State != Queued {
		return
	}
	s.step.admitted()
	s.task.began, s.task.succeeded = s.now, false
	s.task.Last = s.wall()
	s.Due = s.now.Add(s.task.Task.Timeout)
}

func (s *taskStep) exited(e Exited) {
	switch {
	case s.State == Starting && s.insane != "":
		s.ending = "cannot start: " + s.insane
	case s.State == Starting:
		s.ending = "ended while it was prepared: " + e.Status
	case s.State == Running:
		s.task.succeeded, s.ending = e.OK, e.Status
	case s.State == Ending:
		s.record("ended", "%s after the stop signal", e.Status)
		s.kill(s.Reason)
		return
	default:
		return
	}
	s.kill(s.ending)
}

func (s *taskStep) emptied(e Emptied) {
	if s.State != Killing {
		return
	}
	reason := s.ending
	if e.Left > 0 {
		reason += fmt.Sprintf("; %d more of its tree killed", e.Left)
	}
	s.finish(s.task.succeeded, reason)
}

// finish ends a run and chooses what is next.
func (s *taskStep) finish(ok bool, reason string) {
	s.do(Ran{OK: ok, Result: reason})
	switch {
	case !s.Wanted:
		s.record("stopped", "%s", reason)
		s.enter(Stopped, time.Time{}, reason)
	case s.atOnce:
		s.Deaths = 0
		s.queue(reason)
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
