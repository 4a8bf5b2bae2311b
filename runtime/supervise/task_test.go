package supervise

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"recipe/runtime/plan"
)

// hourly is run at 20 minutes past, on a host that was handed that phase, and at most a minute later.
func hourly() TaskConfig {
	return TaskConfig{Every: time.Hour, Jitter: time.Minute, Timeout: 10 * time.Minute, Phase: 20 * time.Minute, Stop: plan.DefaultStop()}
}

func once() TaskConfig {
	return TaskConfig{Timeout: 10 * time.Minute, Restart: &plan.Restart{Delay: 1000, Cap: 8000}, Stop: plan.DefaultStop()}
}

func taskTeller(m Task) teller {
	return func(now time.Time, e Event) (Machine, []Action) {
		var actions []Action
		m, actions = m.Step(now, e)
		return m.Machine, actions
	}
}

// TestTaskConversations replays what is said to tasks. The periodic one ran last half an hour before the first line.
func TestTaskConversations(t *testing.T) {
	replay(t, "testdata/periodic/*.txt", func() teller { return taskTeller(NewTask(hourly(), 1, origin.Add(-30*time.Minute))) })
	replay(t, "testdata/once/*.txt", func() teller { return taskTeller(NewTask(once(), 1, time.Time{})) })
}

// taskWorld is the least driver that keeps a task's contract, and a clock that somebody sets.
type taskWorld struct {
	t       *testing.T
	m       Task
	now     time.Time
	random  *rand.Rand
	running bool // anything of a run lives
	killing bool
	queued  bool
	spawned int
	ended   int
	trace   []string
}

// TestTasksNeverOverlapAndNeverRest walks through random events, with a clock that jumps, and asserts the rules of Task
// after each. A failure names its seed.
func TestTasksNeverOverlapAndNeverRest(t *testing.T) {
	walks := 1000
	if testing.Short() {
		walks = 100
	}
	for seed := range walks {
		config := hourly()
		if seed%2 == 1 {
			config = once()
		}
		if seed%3 == 1 {
			config.Restart = &plan.Restart{Delay: 1000, Cap: 60_000, JitterPermille: 200}
		}
		w := &taskWorld{t: t, m: NewTask(config, uint64(seed), time.Time{}), now: origin, random: rand.New(rand.NewPCG(uint64(seed), 7))}
		for range 300 {
			w.now = w.now.Add(time.Duration(w.random.ExpFloat64() * float64(time.Minute)))
			if w.random.IntN(40) == 0 { // the host slept, or its clock was set
				w.now = w.now.Add(time.Duration(w.random.IntN(96)-48) * time.Hour)
				w.tell(Timer{})
			}
			w.tell(w.next())
			if t.Failed() {
				t.Fatalf("seed %d; the last steps: %v", seed, w.trace[max(0, len(w.trace)-12):])
			}
		}
	}
}

func (w *taskWorld) next() Event {
	for {
		switch w.random.IntN(12) {
		case 0:
			return Start{"the recipe"}
		case 1:
			return RunNow{"admin"}
		case 2:
			return Restart{"admin"}
		case 3:
			return Stop{"admin"}
		case 4:
			return ConfigureTask{w.m.Task}
		case 5, 6, 7:
			if w.m.Due.After(w.now) {
				w.now = w.m.Due
			}
			return Timer{}
		case 8:
			if w.queued || w.random.IntN(20) == 0 {
				w.queued = false
				return Admitted{}
			}
		case 9:
			if w.running {
				return Executed{}
			}
		case 10:
			if w.running && !w.killing {
				return Exited{Status: "exit", OK: w.random.IntN(2) == 0}
			}
		case 11:
			if w.killing {
				w.running, w.killing = false, false
				return Emptied{Left: w.random.IntN(2)}
			}
		}
	}
}

func (w *taskWorld) tell(e Event) {
	before := w.m
	var actions []Action
	w.m, actions = w.m.Step(w.now, e)
	w.trace = append(w.trace, fmt.Sprintf("%T->%s", e, w.m.State))
	for _, a := range actions {
		switch a := a.(type) {
		case Admit:
			w.queued = true
		case Spawn:
			if w.running || w.killing {
				w.t.Errorf("a run is ordered while one is under way")
			}
			w.running = true
			w.spawned++
			if w.random.IntN(10) == 0 {
				w.running = false
				w.tell(SpawnFailed{"EAGAIN"})
				return
			}
		case Kill:
			w.killing = true
		case Ran:
			w.ended++
			if a.Result == "" || w.running {
				w.t.Errorf("ended without a reason, or with something left: %+v", a)
			}
		case Record:
			if a.Why == "" {
				w.t.Errorf("%s without a reason", a.What)
			}
		}
	}
	w.check(before, e)
}

func (w *taskWorld) check(before Task, e Event) {
	m := w.m
	every := m.Task.Every
	switch m.State {
	case Stopped, Waiting, Done, Queued:
		if w.running {
			w.t.Errorf("%s, and a run lives", m.State)
		}
		if w.spawned != w.ended {
			w.t.Errorf("%s after %d runs, of which %d were told to have ended", m.State, w.spawned, w.ended)
		}
	case Starting, Running:
		if m.Due.Sub(w.now) > m.Task.Timeout {
			// a clock that was set back is of no matter to the monotonic one, which this walk does not have
			w.m.Due, w.m.began = w.now.Add(m.Task.Timeout), w.now
		}
		if m.Due.IsZero() {
			w.t.Errorf("a run without an end to its time")
		}
		if _, timer := e.(Timer); timer && !w.now.Before(before.Due) && before.State == m.State {
			w.t.Errorf("its time is over, and it is %s", m.State)
		}
	case Ending:
		if m.Due.IsZero() {
			w.t.Errorf("ends without an end to its grace")
		}
	}
	if m.Wanted && m.State == Stopped || !m.Wanted && (m.State == Waiting || m.State == Done || m.State == Queued) {
		w.t.Errorf("wanted %t, and it is %s", m.Wanted, m.State)
	}
	if every > 0 && m.State == Done {
		w.t.Errorf("a periodic task came to rest")
	}
	longest := every + m.Task.Jitter
	if every == 0 {
		longest = m.Task.Restart.Cap.Std()
	}
	_, timer := e.(Timer) // comes whenever the clock is set
	if m.State == Waiting && (m.Due.IsZero() || (timer || before.State != Waiting) && m.Due.Sub(w.now) > longest) {
		w.t.Errorf("the next run is %s away", m.Due.Sub(w.now))
	}
}

// TestWhatWasMissedIsMadeUpForOnce lets a host sleep for a month, and a supervisor be away for as long.
func TestWhatWasMissedIsMadeUpForOnce(t *testing.T) {
	m := NewTask(hourly(), 1, origin.Add(-30*24*time.Hour))
	m, _ = m.Step(origin, Start{"boot"})
	if left := m.Due.Sub(origin); left < 0 || left > hourly().Every/10+hourly().Jitter {
		t.Errorf("what was missed before the boot is made up for in %s", left)
	}
	now := m.Due.Add(30 * 24 * time.Hour)
	runs := 0
	for range 100 {
		for _, e := range []Event{Timer{}, Admitted{}, Executed{}, Exited{Status: "exit 0", OK: true}, Emptied{}} {
			var actions []Action
			m, actions = m.Step(now, e)
			for _, a := range actions {
				if _, spawn := a.(Spawn); spawn {
					runs++
				}
			}
		}
	}
	if runs != 1 {
		t.Errorf("after a sleep of a month it ran %d times at once", runs)
	}
}

// TestRunsKeepToTheirPhase follows a task that always fails through a thousand hours: it is run in each, at its phase.
func TestRunsKeepToTheirPhase(t *testing.T) {
	config := hourly()
	m := NewTask(config, 3, time.Time{})
	m, _ = m.Step(origin.Add(7*time.Minute), Start{"boot"})
	for range 1000 {
		if into := m.Due.Sub(origin) % time.Hour; into < config.Phase || into > config.Phase+config.Jitter {
			t.Fatalf("it is run %s into the hour", into)
		}
		now := m.Due
		for _, e := range []Event{Timer{}, Admitted{}, Executed{}, Exited{Status: "exit 1"}, Emptied{}} {
			m, _ = m.Step(now, e)
		}
		if gap := m.Due.Sub(now); gap > config.Every+config.Jitter || gap < config.Every-config.Jitter {
			t.Fatalf("the next run is %s later", gap)
		}
	}
}
