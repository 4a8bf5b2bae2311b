package driver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"recipe/runtime/probe"
	"recipe/runtime/supervise"
)

// A daemon that starts is asked often at first, so that its health is known soon, and less and less up to Every. It is
// also the least time between an answer and the next question.
const firstPause = 50 * time.Millisecond

// probe begins to ask the incarnation what the machine wants asked; each probe has a goroutine of its own, so that a slow one delays no other.
func (sv *service) probe() {
	ctx, cancel := context.WithCancel(context.Background())
	sv.stopProbes = cancel
	sv.asking++
	sv.asks = &sync.WaitGroup{}
	d := sv.definition
	for _, i := range sv.machine.Asked() {
		target, err := probe.Resolve(d.plan, d.spec, &d.spec.Probes[i], sv.live, sv.sup.options.Scripts)
		if err != nil {
			sv.sup.decide(sv.name, "probe", fmt.Sprintf("cannot ask probe %d: %v", i+1, err))
			continue
		}
		m := message{incarnation: sv.number, asking: sv.asking}
		sv.asks.Go(func() { sv.ask(ctx, target, m, i) })
	}
}

// ask tells every answer until ctx ends. The phase is spread: after the first success the next question comes at a
// random point of the interval, so that many services are not asked at once. m carries the answers.
func (sv *service) ask(ctx context.Context, target *probe.Target, m message, index int) {
	pause, answered := firstPause, false
	for sleep(ctx, pause) {
		asked := time.Now()
		err := sv.sup.stall.Check(ctx, target)
		if ctx.Err() != nil {
			return
		}
		answer := supervise.Answer{Probe: index, OK: err == nil, Name: target.Name()}
		if err != nil {
			answer.Detail = err.Error()
			answer.Inconclusive = inconclusive(err)
		}
		m.event = answer
		select {
		case sv.mailbox <- m:
		case <-ctx.Done():
			return
		}
		switch {
		case answered:
			pause = max(target.Every-time.Since(asked), firstPause)
		case answer.OK:
			answered = true
			pause = rand.N(target.Every) + 1
		default:
			pause = min(2*pause, target.Every)
		}
	}
}

// askedOut waits until the probes that were stopped have ended, and with them the processes that some ask by. One that hangs
// on a disk holds up nobody for long.
func askedOut(asks *sync.WaitGroup) {
	if asks == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		asks.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
}

func inconclusive(err error) bool {
	var stalled *probe.Inconclusive
	return errors.As(err, &stalled)
}

// sleep reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
