package simulate

import (
	"math/rand/v2"
	"slices"
	"time"

	"recipe/runtime/supervise"
)

// Service is what is simulated of a service or, where Task is set, of a task.
type Service struct {
	Name   string
	Config supervise.Config
	After  []string
	Task   *supervise.TaskConfig
}

// service is one under way: its machine, the driver's part, and what befalls it.
type service struct {
	Service
	w       *world
	random  *rand.Rand
	machine supervise.Machine
	task    *supervise.Task
	present bool // the recipe declares it
	leaving bool // it goes when it is stopped

	// the driver's
	born     uint64 // which one of that name it is; messages to an earlier one are lost
	pending  []supervise.Event
	number   uint64 // of the incarnation
	tree     *tree  // of it, until a kill is ordered
	trees    []*tree
	timer    uint64 // the one that counts
	round    uint64 // of probes
	asking   []*asking
	slot     uint64        // held; 0 for none
	waiting  bool          // for admission
	heard    time.Duration // when the last message of the incarnation comes
	obeyed   time.Duration // when the last order comes
	orders   int           // on their way
	killing  bool          // Emptied is on its way
	inflight int           // messages of the incarnation on their way
	admitted int           // admissions on their way

	noted bool      // an admin's stop is on the disk
	ran   time.Time // of a task, when it ran last

	// what befalls it, until when
	bad, forks, deaf, hangsInPrepare, overloaded, upLaterUntil time.Duration

	upLater time.Duration // until it has come up, then
	cause   string        // what befell it last

	rules rules
	meter meter
}

// message is something for a service's goroutine; see the driver's.
type message struct {
	event       supervise.Event
	incarnation uint64
	round       uint64
	slot        uint64
	order       bool
	born        uint64
}

func (sv *service) latency() time.Duration {
	d := sv.w.nature.message.draw(sv.random)
	if sv.w.now < sv.w.late && sv.random.IntN(3) == 0 {
		d += between(sv.random, time.Millisecond, 3*time.Second)
	}
	return d
}

// post delivers a message d from now.
func (sv *service) post(d time.Duration, m message) {
	m.born = sv.born
	if m.incarnation != 0 && m.round == 0 {
		sv.inflight++
	}
	sv.w.after(d, ours, sv, func() { sv.take(m) })
}

func (sv *service) take(m message) {
	if !sv.present || m.born != sv.born {
		sv.w.release(m.slot)
		return
	}
	if m.incarnation != 0 && m.round == 0 {
		sv.inflight--
	}
	if m.order {
		sv.orders--
	}
	if m.slot != 0 {
		sv.admitted--
	}
	if m.incarnation != 0 && m.incarnation != sv.number || m.round != 0 && m.round != sv.round {
		return
	}
	if m.slot != 0 {
		if sv.state() != supervise.Queued {
			sv.w.release(m.slot)
			return
		}
		sv.slot = m.slot
	}
	if _, starts := m.event.(supervise.Start); starts && sv.leaving {
		return
	}
	sv.step(m.event)
}

func (sv *service) state() supervise.State { return sv.machine.State }

// order tells the service what somebody wants; orders come in order.
func (sv *service) order(e supervise.Event) {
	sv.obeyed = max(sv.obeyed, sv.w.now+sv.latency())
	sv.orders++
	sv.post(sv.obeyed-sv.w.now, message{event: e, order: true})
}

// step lets the machine decide and carries out what it decided, with all that follows at once.
func (sv *service) step(first supervise.Event) {
	w := sv.w
	sv.pending = append(sv.pending[:0], first)
	for len(sv.pending) > 0 && w.broken == nil {
		e := sv.pending[0]
		sv.pending = sv.pending[1:]
		before := sv.machine
		now := w.instant(w.now, w.skew)
		var actions []supervise.Action
		if sv.task != nil {
			*sv.task, actions = sv.task.Step(now, e)
			sv.machine, sv.ran = sv.task.Machine, sv.task.Last
		} else {
			sv.machine, actions = sv.machine.Step(now, e)
		}
		w.steps++
		if w.trace != nil {
			w.tracef("%s: %s: %s -> %s%s", sv.Name, describe(e), before.State, sv.machine.State, describeAll(actions))
		}
		sv.rules.before(sv, &before, now, e)
		for _, a := range actions {
			sv.act(a)
		}
		sv.settle(before.State)
		sv.rules.after(sv, &before, now, e, actions)
		sv.meter.count(sv, before.State, e)
	}
	sv.arm()
	w.admissions()
	if sv.leaving && sv.state() == supervise.Stopped {
		sv.leave()
	}
	if w.ending {
		w.after(0, ours, nil, w.ended)
	}
}

func (sv *service) act(a supervise.Action) {
	switch a := a.(type) {
	case supervise.Admit:
		sv.admit()
	case supervise.Spawn:
		sv.spawn()
	case supervise.Signal:
		if sv.tree != nil {
			sv.tree.signal(a.Name)
		}
	case supervise.Kill:
		sv.kill()
	case supervise.Clear:
		sv.clear()
	case supervise.Probe:
		sv.probe()
	case supervise.StopProbes:
		sv.asking = nil
	}
}

func (sv *service) kill() {
	t, number := sv.tree, sv.number
	if t == nil {
		sv.pending = append(sv.pending, supervise.Emptied{})
		return
	}
	sv.tree = nil
	sv.killing = true
	life := sv.w.life
	t.kill(func(left int) {
		if life == sv.w.life && sv.w.up {
			sv.post(sv.latency(), message{event: supervise.Emptied{Left: left}, incarnation: number})
		}
	})
}

// clear ends every tree that an earlier supervisor left.
func (sv *service) clear() {
	sv.killing = true
	life, busy, met := sv.w.life, 0, 0
	for _, t := range sv.trees {
		if !t.alive() {
			continue
		}
		busy++
		met++
		t.kill(func(left int) {
			busy, met = busy-1, met+left
			if busy == 0 && life == sv.w.life && sv.w.up {
				sv.post(sv.latency(), message{event: supervise.Emptied{Left: met}, incarnation: sv.number})
			}
		})
	}
}

// settle gives back what belongs to a state that was left.
func (sv *service) settle(before supervise.State) {
	now := sv.state()
	if before == supervise.Killing && now != supervise.Killing {
		sv.killing = false
	}
	if now != supervise.Queued {
		sv.dequeue()
	}
	if now != supervise.Starting && now != supervise.Queued && sv.slot != 0 {
		sv.w.release(sv.slot)
		sv.slot = 0
	}
}

// arm sets the timer. It goes off a little late, and now and then too early, as timers of the wall clock may.
func (sv *service) arm() {
	sv.timer++
	if sv.machine.Due.IsZero() {
		return
	}
	left := max(sv.machine.Due.Sub(sv.w.instant(sv.w.now, sv.w.skew)), 0)
	if left > time.Second && sv.random.IntN(64) == 0 {
		left /= 2
	}
	armed := sv.timer
	sv.w.after(left+sv.w.nature.message.draw(sv.random), ours, sv, func() {
		if armed == sv.timer {
			sv.step(supervise.Timer{})
		}
	})
}

// admit asks for a slot, after the services that this one comes after are healthy.
func (sv *service) admit() {
	w := sv.w
	if sv.slot != 0 {
		w.release(sv.slot)
		sv.slot = 0
	}
	if len(sv.After) == 0 && w.slots > 0 {
		sv.slot = w.hold(sv)
		sv.pending = append(sv.pending, supervise.Admitted{})
		return
	}
	if !sv.waiting {
		sv.waiting = true
		w.queued++
	}
}

func (sv *service) dequeue() {
	if sv.waiting {
		sv.waiting = false
		sv.w.queued--
	}
}

// admissions lets those start that wait for nothing any longer.
func (w *world) admissions() {
	if w.queued == 0 {
		return
	}
	for _, sv := range w.services {
		if !sv.waiting || w.slots == 0 || !sv.followed() {
			continue
		}
		sv.dequeue()
		sv.admitted++
		sv.post(sv.latency(), message{event: supervise.Admitted{}, slot: w.hold(sv)})
	}
}

// followed tells whether those that the service comes after are healthy.
func (sv *service) followed() bool {
	for _, other := range sv.w.services {
		if other.present && slices.Contains(sv.After, other.Name) && !(other.state() == supervise.Running && other.machine.Healthy) {
			return false
		}
	}
	return true
}

// hold takes a slot, which is given back after a second at the latest.
func (w *world) hold(sv *service) uint64 {
	w.slots--
	w.held++
	slot := w.held
	w.holders[slot] = true
	w.after(time.Second, ours, sv, func() { w.release(slot); w.admissions() })
	return slot
}

func (w *world) release(slot uint64) {
	if w.holders[slot] {
		delete(w.holders, slot)
		w.slots++
	}
}
