package driver

import (
	"context"
	"fmt"
	"time"

	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// kill ends the tree and tells Emptied when nothing is left: at once where nothing is, and otherwise beside the service, however
// long that takes.
func (sv *service) kill() {
	incarnation, number, asks := sv.incarnation, sv.number, sv.asks
	if incarnation == nil {
		sv.pending = append(sv.pending, supervise.Emptied{})
		return
	}
	if asks.quiet() && sv.screen.Load() == nil && incarnation.EndDead() {
		sv.hearing.close()
		sv.incarnation = nil
		sv.log.EndIncarnation()
		sv.pending = append(sv.pending, supervise.Emptied{})
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	killed := make(chan struct{})
	sv.hearing.close()
	sv.incarnation, sv.dying, sv.stopKill, sv.killed = nil, incarnation, cancel, killed
	go func() {
		defer close(killed)
		left, gone := sv.end(ctx, incarnation)
		if !gone {
			return
		}
		askedOut(asks)
		if t := sv.screen.Load(); t != nil {
			t.End()
		}
		sv.log.EndIncarnation()
		sv.send(message{event: supervise.Emptied{Left: left}, incarnation: number})
	}()
}

// clear ends what an earlier supervisor left, and tells when nothing of it is there any longer.
func (sv *service) clear() {
	ctx, cancel := context.WithCancel(context.Background())
	cleared := make(chan struct{})
	sv.stopKill, sv.killed = cancel, cleared
	go func() {
		defer close(cleared)
		left := 0
		met := func(l process.Leftover) {
			sv.sup.decide(sv.name, "clear", fmt.Sprintf("an earlier supervisor left process %d (%s): it is ended before the first start", l.PID, l.Command))
		}
		if sv.insist(ctx, "clear", func() error {
			n, err := sv.sup.host.Clear(ctx, sv.name, met, sv.stuck("clear"))
			left = max(left, n)
			return err
		}) {
			sv.send(message{event: supervise.Emptied{Left: left}})
		}
	}()
}

// end returns when nothing of the tree is left, and how many processes there were besides the leader.
func (sv *service) end(ctx context.Context, incarnation *process.Incarnation) (others int, gone bool) {
	gone = sv.insist(ctx, "kill", func() error {
		met, err := incarnation.End(ctx, sv.stuck("kill"))
		others = max(others, met)
		return err
	})
	return others, gone
}

// insist tries until nothing is left, since nothing new may start beside it, or until ctx ends. It reports which. What fails
// is said ever more seldom, since it may be so for days.
func (sv *service) insist(ctx context.Context, what string, try func() error) (gone bool) {
	for times := 1; ; times++ {
		err := try()
		if err == nil || ctx.Err() != nil {
			return err == nil
		}
		if times&(times-1) == 0 {
			sv.sup.decide(sv.name, what, err.Error())
		}
		sleep(ctx, time.Second)
	}
}

// stuck tells of processes that do not die.
func (sv *service) stuck(what string) func(members []int) {
	return func(members []int) {
		sv.sup.decide(sv.name, what, fmt.Sprintf("processes %v do not die: they are most likely stuck in the kernel, on a disk or a network file system; nothing new is started before they are gone", members))
	}
}
