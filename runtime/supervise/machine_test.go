package supervise

import (
	"slices"
	"testing"
	"time"

	"recipe/runtime/plan"
)

// TestStallKillsNobody holds a daemon that answers whenever we can listen: however many answers are inconclusive, and
// whatever the walls between them, it is never killed.
func TestStallKillsNobody(t *testing.T) {
	m := New(probed(), 1)
	m, _ = m.Step(origin, Start{"boot"})
	m, _ = m.Step(origin, Admitted{})
	m, _ = m.Step(origin, Executed{})
	now := origin
	for i := range 10_000 {
		now = now.Add(time.Minute)
		m, _ = m.Step(now, Answer{Probe: 0, Inconclusive: i%7 != 0, OK: i%7 == 0, Name: "tcp", Detail: "stalled"})
		if m.State != Running {
			t.Fatalf("step %d: %s (%s)", i, m.State, m.Reason)
		}
	}
}

// TestDelaysGrowToTheCapAndNoFurther takes a crash loop with jitter through a thousand deaths.
func TestDelaysGrowToTheCapAndNoFurther(t *testing.T) {
	config := probed()
	config.Restart.JitterPermille = 200
	m := New(config, 42)
	m, _ = m.Step(origin, Start{"boot"})
	now, least, most := origin, time.Hour, time.Duration(0)
	for death := range 1000 {
		if m.State == Waiting {
			d := m.Due.Sub(now)
			if death > 6 {
				least, most = min(least, d), max(most, d)
			}
			now = m.Due
			m, _ = m.Step(now, Timer{})
		}
		if m.State != Queued {
			t.Fatalf("death %d: given up in state %s", death, m.State)
		}
		for _, e := range []Event{Admitted{}, Executed{}, Exited{Status: "exit code 1"}, Emptied{}} {
			m, _ = m.Step(now, e)
		}
	}
	if limit := config.Restart.Cap.Std(); most > limit || least < limit*8/10 || most == least {
		t.Errorf("delays at the cap lie between %s and %s; wanted a spread within 80 %% to 100 %% of %s", least, most, limit)
	}
}

// TestChangedProbesBeginAnew: a service whose probes were changed has not failed any of them, so it is not unhealthy.
func TestChangedProbesBeginAnew(t *testing.T) {
	m := New(probed(), 1)
	changed := probed()
	changed.Probes[0].Failures++
	for _, e := range []Event{Start{"boot"}, Admitted{}, Executed{}, Answer{OK: true, Name: "tcp"}, Configure{changed}} {
		m, _ = m.Step(origin, e)
	}
	if m.State != Running || m.Healthy || m.EverHealthy {
		t.Errorf("%s, healthy %t, ever %t", m.State, m.Healthy, m.EverHealthy)
	}
}

// TestADeathIsSaidThoughAStartWasAskedFor: somebody asks for a start while what is left of a daemon that died is killed.
func TestADeathIsSaidThoughAStartWasAskedFor(t *testing.T) {
	m := New(probed(), 1)
	var actions []Action
	for _, e := range []Event{Start{"boot"}, Admitted{}, Executed{}, Exited{Status: "signal SEGV"}, Start{"an admin"}, Emptied{}} {
		m, actions = m.Step(origin, e)
	}
	want := Record{What: "restart", Why: "the daemon ended: signal SEGV; at once"}
	if !slices.Contains(actions, Action(want)) || m.State != Queued {
		t.Errorf("%s, by %+v", m.State, actions)
	}
}

// TestAFailingProbeHasToAnswerAsOftenAsAnyOther: another probe's answer does not make a service healthy whose readiness
// has answered once of the two times that are asked of it.
func TestAFailingProbeHasToAnswerAsOftenAsAnyOther(t *testing.T) {
	config := roles()
	config.Probes = config.Probes[:2]
	config.Probes[1].Successes = 2
	m := New(config, 1)
	for _, e := range []Event{Start{"boot"}, Admitted{}, Executed{}, Answer{OK: true}, Answer{Probe: 1, OK: true}, Answer{Probe: 1, OK: true}} {
		m, _ = m.Step(origin, e)
	}
	for i, step := range []struct {
		e       Event
		healthy bool
	}{
		{Answer{Probe: 1}, true}, {Answer{Probe: 1}, false},
		{Answer{Probe: 1, OK: true}, false}, {Answer{OK: true}, false},
		{Answer{Probe: 1, OK: true}, true},
	} {
		if m, _ = m.Step(origin, step.e); m.Healthy != step.healthy {
			t.Errorf("answer %d: healthy %t", i, m.Healthy)
		}
	}
}

// TestALowerCapHoldsAtOnce changes the recipe of a service and of a task that wait.
func TestALowerCapHoldsAtOnce(t *testing.T) {
	config := probed()
	m := New(config, 1)
	for _, e := range []Event{Start{"boot"}, Admitted{}, SpawnFailed{"no"}, Admitted{}, SpawnFailed{"no"}} {
		m, _ = m.Step(origin, e)
	}
	config.Restart.Cap = 300
	if m, _ = m.Step(origin, Configure{config}); m.Due.Sub(origin) != 300*time.Millisecond {
		t.Errorf("the service waits %s more", m.Due.Sub(origin))
	}
	task := NewTask(once(), 1, time.Time{})
	for _, e := range []Event{Start{"boot"}, Admitted{}, SpawnFailed{"no"}} {
		task, _ = task.Step(origin, e)
	}
	changed := once()
	changed.Restart = &plan.Restart{Delay: 100, Cap: 300}
	if task, _ = task.Step(origin, ConfigureTask{changed}); task.Due.Sub(origin) != 300*time.Millisecond {
		t.Errorf("the task waits %s more", task.Due.Sub(origin))
	}
}
