package driver

import (
	"context"
	"maps"
	"slices"

	"recipe/runtime/supervise"
)

// turn is what a service knows of a roll: the last turn that it had, and the first incarnation that has what it was told with it.
type turn struct{ number, first uint64 }

// takes is called before the event of a turn is stepped. An incarnation that is there already is one of before, unless it goes on
// running with a signal.
func (sv *service) takes(number uint64, event supervise.Event) {
	sv.turn = turn{number, sv.number + 1}
	if _, signalled := event.(supervise.Reload); signalled && sv.machine.State == supervise.Running {
		sv.turn.first = sv.number
	}
}

// comesUp waits until the first incarnation that has what a turn told is ready: without end, as long as it may become so yet. It is false
// for one that ended before.
func (r *roll) comesUp(ctx context.Context, sv *service, turn uint64) bool {
	told := func(v view) bool { return v.turn.number == turn }
	running := func(v view) bool {
		return told(v) && v.number == v.turn.first && v.machine.State == supervise.Running
	}
	ready := func(v view) bool { return running(v) && (v.machine.Healthy || len(v.machine.Config.Probes) == 0) }
	down := func(v view) bool { return v.left || told(v) && !v.machine.Wanted } // for somebody, or for good
	failed := func(v view) bool {
		return told(v) && (v.number > v.turn.first || v.number == v.turn.first && !running(v) && v.machine.State != supervise.Starting)
	}
	if sv.wait(ctx, func(v view) bool { return ready(v) || down(v) || failed(v) }) != nil {
		return true // it is no more, or nobody waits for it any longer
	}
	v := sv.snapshot()
	if running(v) && len(v.machine.Config.Probes) == 0 {
		ctx, cancel := context.WithTimeout(ctx, r.pause)
		defer cancel()
		_ = sv.wait(ctx, func(v view) bool { return !running(v) })
		v = sv.snapshot()
	}
	return down(v) || !failed(v)
}

// firstTurn is what a successor waits for.
const firstTurn = 1

// carry is how far the roll has come.
func (r *roll) carry() (c carriedRoll) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil { // else, or where it has not been told yet, its definition tells
		if v := r.current.service.snapshot(); v.turn.number == r.current.turn {
			c.Current, c.First = r.current.service.name, v.turn.first
		}
	}
	c.Failed = slices.Sorted(maps.Values(r.failed))
	return c
}

// resume goes on from there; change has to be told what services were still to be told.
func (r *roll) resume(c carriedRoll) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turns = firstTurn
	for _, name := range c.Failed {
		if d := r.told[name]; d != nil {
			r.failed[d.plan.Name] = name
		}
	}
	if sv := r.sup.service(c.Current); sv != nil {
		r.await(&move{service: sv, turn: firstTurn})
	}
}
