package driver

import (
	"context"
	"errors"
	"slices"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// view is what others may see of a service.
type view struct {
	machine     supervise.Machine
	since       time.Time // of the state or health
	pid         int
	incarnation *process.Incarnation // nil where nothing runs
	number      uint64
	turn        turn // the last of a roll
	digest      string
	recipe      string
	file        string // the recipe's
	stalls      int
	said        string        // the daemon's own words on its state
	dropped     int           // messages of the daemon's that were not heard
	task        *control.Task // nil for a service; never changed
	left        bool          // its claim is given up; nothing of it is known any more
	words       []string      // see service
}

// waiter is somebody who waits until the service has come to something.
type waiter struct {
	seen func(view) bool
	done chan struct{}
}

func newWaiter(seen func(view) bool) *waiter { return &waiter{seen: seen, done: make(chan struct{})} }

// publish shows the state to others and wakes those who waited for it.
func (sv *service) publish() {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	now := view{machine: sv.machine, since: sv.view.since, number: sv.number, turn: sv.turn, words: sv.words, digest: sv.definition.digest, recipe: sv.definition.plan.Name, file: sv.definition.file, stalls: sv.stalls, left: sv.left}
	if sv.incarnation != nil {
		now.pid, now.incarnation = sv.incarnation.PID(), sv.incarnation
		now.said, now.dropped = sv.hearing.said()
	}
	if sv.task != nil {
		now.task = sv.task.status(sv.definition.task)
	}
	if sv.view.since.IsZero() || now.state() != sv.view.state() {
		now.since = time.Now()
		sv.tellState(now)
		sv.sup.lifeline.stirs()
	}
	sv.view = now
	rest := sv.waiters[:0]
	for _, w := range sv.waiters {
		if w.seen(now) {
			close(w.done)
		} else {
			rest = append(rest, w)
		}
	}
	clear(sv.waiters[len(rest):])
	sv.waiters = rest
}

// errGone is what a wait ends with when the service has been given up without what was waited for.
var errGone = errors.New("the service is not supervised any longer")

// wait returns when seen has held of the service, or ctx ends.
func (sv *service) wait(ctx context.Context, seen func(view) bool) error {
	w := newWaiter(seen)
	sv.register(w)
	return sv.await(ctx, w)
}

func (sv *service) register(w *waiter) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if w.seen(sv.view) {
		close(w.done)
		return
	}
	sv.waiters = append(sv.waiters, w)
}

func (sv *service) await(ctx context.Context, w *waiter) error {
	select {
	case <-w.done:
		return nil
	case <-sv.gone:
		if w.seen(sv.snapshot()) {
			return nil
		}
		return errGone
	case <-ctx.Done():
		sv.mu.Lock()
		defer sv.mu.Unlock()
		sv.waiters = slices.DeleteFunc(sv.waiters, func(other *waiter) bool { return other == w })
		return ctx.Err()
	}
}

// state is the word that operators read.
func (v view) state() control.State {
	m := v.machine
	switch m.State {
	case supervise.Stopped:
		return control.Stopped
	case supervise.Waiting, supervise.Queued:
		return control.Waiting
	case supervise.Starting:
		return control.Starting
	case supervise.Done:
		return control.Done
	case supervise.Ending, supervise.Killing:
		return control.Stopping
	}
	switch {
	case len(m.Config.Probes) == 0: // nothing is known of its health
		return control.Running
	case m.Healthy:
		return control.Healthy
	case m.EverHealthy:
		return control.Unhealthy
	}
	return control.Running
}

// tellState shows a state to viewers, but for that of before the first start.
func (sv *service) tellState(v view) {
	if sv.view.since.IsZero() {
		return
	}
	sv.sup.journal.write(control.Event{State: sv.admin.state(v.state()), PID: v.pid,
		Decision: control.Decision{Time: v.since, Service: sv.name, What: control.WhatState, Why: v.machine.Reason}})
}

// wishes are what operators want of the service.
func (sv *service) wishes() admin {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return sv.admin
}

func (sv *service) snapshot() view {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return sv.view
}
