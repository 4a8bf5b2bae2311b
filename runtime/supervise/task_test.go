package supervise

import (
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
