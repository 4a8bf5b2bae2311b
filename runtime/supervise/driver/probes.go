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

// mostExcuses is how often in a row a busy host excuses a probe: of one that is always busy a hang must be seen, too.
const mostExcuses = 10

// asking is one round of questions to an incarnation: what the machine wants asked at a time. A probe that waits for its
// next question is a timer; one that is asked has a goroutine of its own, so that a slow one delays no other.
type asking struct {
	ctx  context.Context
	end  context.CancelFunc
	busy sync.WaitGroup // questions under way

	mu     sync.Mutex
	ended  bool
	count  int // of questions under way
	probes []*asked
	awaits []*awaited // of the service's goroutine alone
}

// asked is one probe of a round.
type asked struct {
	*asking
	sv       *service
	target   *probe.Target
	tree     probe.Tree
	about    message // carries the answers
	index    int
	timer    *time.Timer
	pause    time.Duration
	answered bool
	excuses  excuses
}

// probe begins to ask the incarnation what the machine wants asked.
func (sv *service) probe() {
	if sv.held {
		return
	}
	a := &asking{}
	a.ctx, a.end = context.WithCancel(context.Background())
	sv.round++
	sv.asks = a
	d := sv.definition
	for _, i := range sv.machine.Asked() {
		if d.spec.Probes[i].Heard() {
			a.await(sv, i)
			continue
		}
		target, err := probe.Resolve(d.plan, d.spec, &d.spec.Probes[i], sv.live, sv.sup.options.Scripts)
		if err != nil {
			sv.decide("probe", fmt.Sprintf("cannot ask probe %d: %v", i+1, err))
			continue
		}
		question := &asked{asking: a, sv: sv, target: target, tree: sv.incarnation, about: message{incarnation: sv.number, round: sv.round}, index: i, pause: firstPause}
		if sv.machine.Answered(i) { // a round that was broken off: neither all at once, nor failures faster than Every
			question.answered, question.pause = true, rand.N(target.Every)+1
		}
		a.begin(question)
	}
}

func (a *asking) begin(p *asked) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p.timer = time.AfterFunc(p.pause, p.ask)
	a.probes = append(a.probes, p)
}

// stop ends the round; answers on their way are dropped.
func (a *asking) stop() {
	a.end()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for _, p := range a.probes {
		p.timer.Stop()
	}
	for _, p := range a.awaits {
		if p.timer != nil {
			p.timer.Stop()
		}
	}
}

// enter reports whether the round goes on, and counts a question under way.
func (a *asking) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended {
		a.busy.Add(1)
		a.count++
	}
	return !a.ended
}

// leave sets the time of the next question.
func (p *asked) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.timer.Reset(p.pause)
	}
	p.count--
	p.busy.Done()
}

// ask asks once and tells the answer. The phase is spread: after the first success the next question comes at a random
// point of the interval, so that many services are not asked at once.
func (p *asked) ask() {
	if !p.enter() {
		return
	}
	defer p.leave()
	began := time.Now()
	err := p.sv.sup.stall.Check(p.ctx, p.target, p.tree)
	if p.ctx.Err() != nil {
		return
	}
	answer := supervise.Answer{Probe: p.index, OK: err == nil, Name: p.target.Name(), Took: time.Since(began)}
	if err != nil {
		answer.Detail = err.Error()
	}
	answer.Inconclusive = p.excuses.excused(err)
	p.sv.tally.answered(answer)
	m := p.about
	m.event = answer
	p.sv.send(m)
	switch {
	case p.answered:
		p.pause = max(p.target.Every-time.Since(began), firstPause)
	case answer.OK:
		p.answered = true
		p.pause = rand.N(p.target.Every) + 1
	default:
		p.pause = min(2*p.pause, p.target.Every)
	}
}

// excuses are how often in a row a busy host excused a probe.
type excuses int

// excused tells whether the error, or nil, of a probe says nothing of the daemon.
func (n *excuses) excused(err error) bool {
	var paused *probe.Inconclusive
	switch {
	case !errors.As(err, &paused):
		*n = 0
		return false
	case !paused.Pause.Busy(paused.Timeout):
		*n = 0
		return true
	}
	*n++
	return *n <= mostExcuses
}

// quiet reports whether the round was stopped and no question is under way.
func (a *asking) quiet() bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ended && a.count == 0
}

// askedOut waits until the probes that were stopped have ended, and with them the processes that some ask by. One that hangs
// on a disk holds up nobody for long.
func askedOut(asks *asking) {
	if asks == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		asks.busy.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
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
