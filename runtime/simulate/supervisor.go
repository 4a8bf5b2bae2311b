package simulate

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"time"

	"recipe/runtime/supervise"
)

// boot begins a supervisor, which takes over every service.
func (w *world) boot() {
	if w.up {
		return
	}
	w.life++
	w.up, w.ending, w.down = true, false, false
	w.slots, w.queued, w.holders = w.starts, 0, map[uint64]bool{}
	w.tracef("a supervisor begins")
	for _, sv := range w.services {
		sv.fresh()
		if sv.present {
			sv.declare()
		}
	}
}

// fresh is a service that a supervisor knows nothing of yet.
func (sv *service) fresh() {
	seed := fnv.New64a()
	seed.Write([]byte(sv.Name))
	sv.machine = supervise.New(sv.Config, seed.Sum64()^sv.w.life)
	if sv.Task != nil {
		task := supervise.NewTask(*sv.Task, seed.Sum64()^sv.w.life, sv.ran)
		sv.task, sv.machine = &task, task.Machine
	}
	sv.tree, sv.asking, sv.pending = nil, nil, nil
	sv.slot, sv.waiting, sv.killing, sv.leaving = 0, false, false, false
	sv.orders, sv.inflight, sv.admitted, sv.obeyed, sv.heard = 0, 0, 0, 0, 0
	sv.born++
	sv.timer++
	sv.round++
	sv.rules = rules{}
}

// declare ends what an earlier supervisor left of a service that this one has taken over, and starts it, unless an admin
// stopped it.
func (sv *service) declare() {
	if slices.ContainsFunc(sv.trees, (*tree).alive) {
		sv.step(supervise.Inherited{})
	}
	if sv.noted {
		sv.order(supervise.Stop{Why: "stopped by an admin"})
		return
	}
	sv.order(supervise.Start{Why: "declared by the recipe"})
}

// die is the supervisor's end by SIGKILL: what it had in mind is lost, what it started goes on.
func (w *world) die(back time.Duration) {
	if !w.up {
		return
	}
	w.tracef("the supervisor is killed")
	w.up = false
	w.life++
	w.after(back, oursAnyway, nil, w.boot)
}

// reboot ends everything.
func (w *world) reboot(back time.Duration) {
	w.tracef("the host goes down")
	w.up, w.down = false, true
	w.life++
	w.stalled, w.paused = 0, 0
	for _, sv := range w.services {
		for _, t := range sv.trees {
			t.leader, t.others, t.ready, t.stuck = false, 0, false, 0
		}
		sv.trees, sv.tree = nil, nil
	}
	w.after(back, oursAnyway, nil, w.boot)
}

// upgrade has the supervisor stop everything and end; its successor begins when it is gone.
func (w *world) upgrade() {
	if !w.up || w.ending {
		return
	}
	w.tracef("the supervisor is to end")
	w.ending = true
	for _, sv := range w.services {
		if sv.present {
			sv.order(supervise.Stop{Why: "the supervisor is ending"})
		}
	}
	w.ended()
}

func (w *world) ended() {
	if !w.ending {
		return
	}
	for _, sv := range w.services {
		if sv.present && (sv.state() != supervise.Stopped || sv.orders > 0) {
			return // the last step of it calls again
		}
	}
	w.tracef("the supervisor ends")
	w.up, w.ending = false, false
	w.life++
	w.after(50*time.Millisecond, oursAnyway, nil, w.boot)
}

// handOn has the supervisor become another program, which takes a moment, and goes on with the machines as they were written
// and read.
func (w *world) handOn(took time.Duration) {
	if !w.up {
		return
	}
	w.tracef("the supervisor becomes another program")
	w.stalled = max(w.stalled, w.now+min(took, 5*time.Second))
	now := w.instant(w.now, w.skew)
	for _, sv := range w.services {
		if !sv.present {
			continue
		}
		if sv.task != nil {
			*sv.task = written(w, sv.task.Carry(now)).Task(sv.task.Task, now)
			sv.machine = sv.task.Machine
		} else {
			sv.machine = written(w, sv.machine.Carry(now)).Machine(sv.machine.Config, now)
		}
		sv.arm()
		if len(sv.asking) > 0 {
			sv.probe()
		}
	}
}

// written is what is read again of what was written.
func written[T any](w *world, carried T) (again T) {
	data, err := json.Marshal(carried)
	if err == nil {
		err = json.Unmarshal(data, &again)
	}
	if err != nil {
		w.breaks("handing on", "%v", err)
	}
	return again
}

// leave ends a service that the recipe does not declare any longer.
func (sv *service) leave() {
	sv.leaving, sv.present = false, false
	sv.w.tracef("%s: gone from the recipe", sv.Name)
	sv.w.admissions()
}

// remove takes the service out of the recipe, and adds it again after a while.
func (sv *service) remove(back time.Duration) {
	sv.leaving = true
	sv.order(supervise.Stop{Why: "the recipe does not declare it any longer"})
	sv.w.after(back, outside, sv, sv.add)
}

func (sv *service) add() {
	w := sv.w
	switch {
	case sv.leaving && w.up:
		w.after(10*time.Millisecond, outside, sv, sv.add)
	case !sv.present:
		sv.present = true
		if w.up && !w.ending {
			sv.fresh()
			sv.declare()
		}
	}
}

// usable tells whether the supervisor takes an order for the service.
func (sv *service) usable() bool {
	return sv.w.up && sv.present && !sv.leaving && !sv.w.ending
}
