package driver

import (
	"context"
	"time"

	"recipe/runtime/logs"
	"recipe/runtime/supervise"
)

// upgrading is what an upgrade asks of a service; one of them, or nothing.
type upgrading struct {
	hold     chan struct{}       // start and end nothing any more; closed when nothing is under way
	goOn     bool                // go on after all
	describe chan carriedService // what would be given now
	give     chan carriedService // the end: what the successor goes on with
}

func (u upgrading) asks() bool {
	return u.hold != nil || u.goOn || u.describe != nil || u.give != nil
}

func (sv *service) answer(u upgrading) {
	switch {
	case u.hold != nil:
		sv.hold(u.hold)
	case u.goOn:
		sv.goOn()
	case u.describe != nil:
		u.describe <- sv.carry()
	case u.give != nil:
		sv.give(u.give)
	}
}

// hold stops what is under way beside the service. Its goroutine goes on, since those who are waited for may have something
// to tell it first.
func (sv *service) hold(still chan<- struct{}) {
	sv.act(supervise.StopProbes{})
	sv.held = true
	if sv.dequeue != nil {
		sv.dequeue()
		sv.dequeue = nil
	}
	if sv.stopKill != nil {
		sv.stopKill()
	}
	asks, killed, rewritten := sv.asks, sv.killed, sv.rewritten
	go func() {
		defer close(still)
		askedOut(asks)
		if killed != nil {
			<-killed
		}
		if rewritten != nil {
			<-rewritten.done
		}
	}()
}

// postpone reports whether an action is left to whoever goes on, which sees by the state what is to be done.
func (sv *service) postpone(a supervise.Action) bool {
	switch a := a.(type) {
	case supervise.Admit, supervise.Spawn, supervise.Kill, supervise.Clear, supervise.Probe, supervise.StopProbes:
		return true
	case supervise.Rewrite:
		sv.owed = append(sv.owed, a.Signal)
		return true
	}
	return false
}

// goOn does what the state asks for, after a hold or in a successor.
func (sv *service) goOn() {
	sv.held = false
	switch sv.machine.State {
	case supervise.Queued:
		sv.admit()
	case supervise.Starting:
		if sv.incarnation == nil {
			sv.spawn()
		}
	case supervise.Running:
		if len(sv.machine.Asked()) > 0 {
			sv.probe()
		}
	case supervise.Killing:
		if sv.incarnation == nil {
			sv.incarnation = sv.dying
		}
		if sv.incarnation != nil {
			sv.kill()
		} else {
			sv.clear()
		}
	}
	for _, signal := range sv.owed {
		sv.rewrite(signal)
	}
	sv.owed = nil
	sv.catchUp()
}

// give hears out who told something before all was still, and hands the service on.
func (sv *service) give(to chan<- carriedService) {
	for _, m := range sv.mailbox.close() {
		if !m.upgrading.asks() {
			sv.take(m)
		}
	}
	one := sv.carry()
	one.Hearing = sv.hearing.hand(sv.asks)
	ctx, cancel := context.WithTimeout(context.Background(), handPatience)
	defer cancel()
	var err error
	if one.Log, err = sv.log.HandOver(ctx); err != nil {
		sv.sup.decide(sv.name, "logs", err.Error())
	}
	if t := sv.screen.Load(); t != nil { // after the log, which reads it
		handed, err := t.Hand()
		if err != nil {
			sv.sup.decide(sv.name, "terminal", err.Error())
		}
		one.Terminal = &handed
	}
	sv.given = true
	to <- one
}

// carry is what a successor needs of the service.
func (sv *service) carry() carriedService {
	now := time.Now()
	one := carriedService{
		Name: sv.name, At: monotonic(), Number: sv.number, Since: sv.snapshot().since.UTC(), Leaving: sv.leaving.Load(), Owed: sv.owed,
		Tree:   sv.incarnation != nil || sv.machine.State == supervise.Killing && sv.dying != nil,
		Stalls: sv.stalls, Words: sv.words, Tally: sv.tally.carry(), Log: &logs.Handover{Service: sv.name},
		definition: sv.definition, live: sv.live,
	}
	if sv.task != nil {
		handed := sv.task.machine.Carry(now)
		one.Task, one.Runs = &handed, sv.task.runs.Runs
	} else {
		handed := sv.machine.Carry(now)
		one.Machine = &handed
	}
	var err error
	if one.Sockets, err = sv.sockets.carry(); err != nil {
		sv.sup.decide(sv.name, "upgrade", err.Error())
	}
	return one
}
