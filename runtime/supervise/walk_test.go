package supervise

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"recipe/runtime/plan"
)

// world is the least driver that keeps the machine's contract: what it may be told follows from what it asked for.
type world struct {
	t        *testing.T
	m        Machine
	now      time.Time
	random   *rand.Rand
	leader   bool // a leader lives
	others   int  // processes of the tree besides the leader
	executed bool
	killing  bool
	queued   bool
	trace    []string
}

// TestNeverTwoInAnyOrder walks through random events, late and doubled ones among them, and asserts the rules of the
// package after each. A failure names its seed.
func TestNeverTwoInAnyOrder(t *testing.T) {
	walks := 3000
	if testing.Short() {
		walks = 300
	}
	for seed := range walks {
		config := probed()
		if seed%2 == 1 {
			config = roles()
		}
		w := &world{t: t, m: New(config, uint64(seed)), now: origin, random: rand.New(rand.NewPCG(uint64(seed), 7))}
		for range 300 {
			w.now = w.now.Add(time.Duration(w.random.ExpFloat64() * float64(time.Second)))
			w.tell(w.next())
			if t.Failed() {
				t.Fatalf("seed %d; the last steps: %v", seed, w.trace[max(0, len(w.trace)-12):])
			}
		}
	}
}

// next draws an event that the world may send now.
func (w *world) next() Event {
	for {
		switch w.random.IntN(14) {
		case 0:
			return Start{"admin"}
		case 1:
			return Stop{"admin"}
		case 2:
			return Restart{"admin"}
		case 3:
			return Reload{Signal: "HUP", Why: "flag"}
		case 4:
			if w.random.IntN(2) == 0 {
				return Configure{roles()}
			}
			return Configure{probed()}
		case 5, 6:
			if !w.m.Due.IsZero() {
				w.now = w.m.Due
			}
			return Timer{}
		case 7:
			if w.queued || w.random.IntN(20) == 0 {
				w.queued = false
				return Admitted{}
			}
		case 8:
			if w.leader && !w.executed {
				w.executed = true
				return Executed{}
			}
		case 9:
			if w.leader && !w.executed {
				return NotSane{"no room"}
			}
		case 10:
			if w.leader {
				w.leader = false
				return Exited{Status: "exit code 1"}
			}
		case 11:
			if w.killing {
				w.leader, w.others, w.killing = false, 0, false
				return Emptied{Left: w.random.IntN(3)}
			}
		case 12:
			if w.leader && w.executed && w.random.IntN(4) == 0 {
				w.others++
			}
		case 13:
			return Answer{Probe: w.random.IntN(4), OK: w.random.IntN(3) == 0, Inconclusive: w.random.IntN(9) == 0, Name: "tcp", Detail: "no answer"}
		}
	}
}

func (w *world) tell(e Event) {
	before := w.m
	var actions []Action
	w.m, actions = w.m.Step(w.now, e)
	w.trace = append(w.trace, fmt.Sprintf("%T->%s", e, w.m.State))
	records := 0
	for _, a := range actions {
		switch a := a.(type) {
		case Admit:
			w.queued = true
		case Spawn:
			if w.leader || w.others > 0 || w.killing {
				w.t.Errorf("a second incarnation is spawned: leader %t, others %d", w.leader, w.others)
			}
			w.leader, w.executed = true, false
			if w.random.IntN(10) == 0 {
				w.leader = false
				w.tell(SpawnFailed{"EAGAIN"})
				return
			}
		case Kill:
			w.killing = true
		case Record:
			records++
			if a.Why == "" {
				w.t.Errorf("%s without a reason", a.What)
			}
		}
	}
	w.check(before, records)
}

func (w *world) check(before Machine, records int) {
	m := w.m
	if m.State == Stopped && (w.leader || w.others > 0) {
		w.t.Errorf("stopped, but leader %t and %d others live", w.leader, w.others)
	}
	if m.Wanted && m.State == Stopped {
		w.t.Errorf("given up: wanted, but stopped")
	}
	if m.State == Waiting && (m.Due.IsZero() || m.Due.Sub(w.now) > m.Config.Restart.Cap.Std()) {
		w.t.Errorf("waits %s, the cap is %s", m.Due.Sub(w.now), m.Config.Restart.Cap)
	}
	if m.State == Ending && m.Due.IsZero() {
		w.t.Errorf("ends without an end to its grace")
	}
	if m.State == Killing && before.State != Killing && records == 0 && before.State != Starting && before.State != Running {
		w.t.Errorf("killed from %s without a record", before.State)
	}
	if (m.State == Stopped || m.State == Waiting || m.State == Queued) && before.State != m.State && before.State != Stopped && records == 0 && before.State != Waiting && !m.Wanted {
		w.t.Errorf("%s after %s without a record", m.State, before.State)
	}
	if m.State != Running {
		return
	}
	starting := false
	for i, p := range m.probes {
		if m.Healthy && !p.answered {
			w.t.Errorf("healthy without an answer of probe %d", i)
		}
		starting = starting || m.Config.Probes[i].Role == plan.RoleStartup && !p.answered
	}
	for _, i := range m.Asked() {
		if startup := m.Config.Probes[i].Role == plan.RoleStartup; startup != starting {
			w.t.Errorf("probe %d, of startup %t, is asked while it starts up %t", i, startup, starting)
		}
	}
}

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
