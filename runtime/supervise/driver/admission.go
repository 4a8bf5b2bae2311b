package driver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"recipe/runtime/supervise"
)

// slot is a place among the starts under way; released once, by the start's end or by its time.
type slot struct {
	once  sync.Once
	slots chan struct{}
	timer *time.Timer
}

// newSlot calls late where the start takes longer than the slot is held.
func newSlot(slots chan struct{}, late func()) *slot {
	s := &slot{slots: slots}
	s.timer = time.AfterFunc(slotHold, func() {
		s.release()
		late()
	})
	return s
}

func (s *slot) release() {
	s.once.Do(func() {
		s.timer.Stop()
		<-s.slots
	})
}

// admit asks for a slot, after the services that this one comes after are healthy. A free slot is had at once.
func (sv *service) admit() {
	if sv.slot != nil { // of a start that failed at once
		sv.slot.release()
		sv.slot = nil
	}
	if len(sv.definition.spec.After) == 0 {
		select {
		case sv.sup.slots <- struct{}{}:
			sv.slot = newSlot(sv.sup.slots, sv.lingers)
			sv.pending = append(sv.pending, supervise.Admitted{})
			return
		default:
		}
	}
	sv.enqueue()
}

// lateAfter is when a start that is not done is worth a word.
const lateAfter = 5 * time.Second

// lingers has a start that goes on for that long told, with what it waits for.
func (sv *service) lingers() {
	sv.send(message{do: func() {
		if sv.incarnation == nil || sv.machine.State != supervise.Starting {
			return
		}
		incarnation := sv.incarnation
		late := func() {
			if sv.machine.State == supervise.Starting {
				sv.sup.decide(sv.name, "starting", fmt.Sprintf("not done after %s: %s", lateAfter, incarnation.WaitsFor()))
			}
		}
		number := sv.number
		time.AfterFunc(lateAfter-slotHold, func() { sv.send(message{incarnation: number, do: late}) })
	}})
}

func (sv *service) enqueue() {
	ctx, cancel := context.WithCancel(context.Background())
	sv.dequeue = cancel
	go sv.queue(ctx, sv.definition.spec.After)
}

// queue waits outside of the service's goroutine, without end; a decision says for what.
func (sv *service) queue(ctx context.Context, after []string) {
	for _, name := range after {
		if !sv.follow(ctx, name) {
			return
		}
	}
	select {
	case sv.sup.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	held := newSlot(sv.sup.slots, sv.lingers)
	sv.send(message{event: supervise.Admitted{}, slot: held})
}

// follow waits until the service of that name is healthy, though it may be taken out of the recipe meanwhile and come
// again. It reports false when ctx ended first.
func (sv *service) follow(ctx context.Context, name string) bool {
	healthy := func(v view) bool { return v.machine.State == supervise.Running && v.machine.Healthy }
	for {
		first := sv.sup.service(name)
		if first == nil {
			return true // taken out of the recipe since
		}
		if !healthy(first.snapshot()) {
			sv.sup.decide(sv.name, "wait", "comes after "+name+", which is not healthy yet")
		}
		if first.wait(ctx, healthy) == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
	}
}
