package driver

import (
	"errors"
	"slices"
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/probe"
	"recipe/runtime/supervise"
)

// awaited is a probe of a round that asks nothing, but waits for what the daemon says. It belongs to the service's goroutine.
type awaited struct {
	*asking
	sv      *service
	probe   *plan.Probe
	name    string
	index   int
	said    bool // the machine knows, and nothing has failed since
	since   time.Time
	due     time.Time
	mark    *probe.Mark
	timer   *time.Timer // nil where nothing is due
	excuses excuses
}

// await begins to wait, and tells what is known already: what the daemon said before it was listened to is not lost.
func (a *asking) await(sv *service, index int) {
	p := &awaited{asking: a, sv: sv, probe: &sv.definition.spec.Probes[index], index: index}
	p.name = probe.HeardName(p.probe)
	a.awaits = append(a.awaits, p)
	due := sv.machine.StartBy(index)
	if p.liveness() {
		due = time.Now().Add(p.window())
	}
	p.begin(due)
	if h := sv.hearing; h != nil && p.liveness() && !h.waits.IsZero() { // an upgrade gives no time
		p.since, h.waits = h.waits, time.Time{}
		p.until(p.since.Add(p.window()))
	}
	if known := p.look(); known != nil {
		sv.tally.answered(*known)
		sv.pending = append(sv.pending, *known)
	}
}

// waits is since when a sign of life is waited for, where alive was the last; zero where none is.
func (a *asking) waits(alive time.Time) time.Time {
	if a == nil {
		return time.Time{}
	}
	for _, p := range a.awaits {
		switch {
		case !p.liveness():
		case alive.After(p.since):
			return alive
		default:
			return p.since
		}
	}
	return time.Time{}
}

// begin starts a window in which something has to be said.
func (p *awaited) begin(due time.Time) {
	p.since, p.mark = time.Now(), p.sv.sup.stall.Mark(p.sv.incarnation)
	p.until(due)
}

func (p *awaited) liveness() bool { return p.probe.Role == plan.RoleLiveness }

// until sets when it is overdue.
func (p *awaited) until(due time.Time) {
	p.due = due
	m := message{incarnation: p.sv.number, round: p.sv.round, overdue: p}
	wait := max(time.Until(due), time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended:
	case p.timer == nil:
		p.timer = time.AfterFunc(wait, func() { p.sv.send(m) })
	default:
		p.timer.Reset(wait)
	}
}

// look tells what was said since it was last told of; nil for nothing.
func (p *awaited) look() *supervise.Answer {
	h := p.sv.hearing
	if h == nil || p.probe.LogLine != nil && !slices.Contains(h.sought, p.probe.LogLine.Pattern) {
		if !p.said {
			p.sv.decide("probe", p.name+": nobody heard the daemon when it started, so that this is judged from its next start on")
		}
		return p.ok()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.liveness() {
		h.awaited = !p.said
		if h.alive.After(p.since) {
			return p.ok()
		}
		return nil
	}
	switch {
	case p.probe.LogLine != nil:
		if h.lines[p.probe.LogLine.Pattern] {
			return p.ok()
		}
	case p.probe.Notify.Descriptor > 0:
		if h.pipe {
			return p.ok()
		}
	case h.ready:
		return p.ok()
	case p.said && p.probe.Role == plan.RoleReadiness:
		p.said = false
		return &supervise.Answer{Probe: p.index, Name: p.name, Detail: "the daemon says RELOADING=1"}
	}
	return nil
}

// ok is an answer, once.
func (p *awaited) ok() *supervise.Answer {
	if p.said {
		return nil
	}
	p.said = true
	return &supervise.Answer{Probe: p.index, OK: true, Name: p.name}
}

// overdue judges what was not said in time, unless it waits to be heard, or more time was given.
func (sv *service) overdue(p *awaited) {
	h := sv.hearing
	if h == nil {
		return
	}
	h.drain()
	sv.hear(h)
	if p.ended || p.said && !p.liveness() || time.Now().Before(p.due) {
		return
	}
	if due := p.still(); time.Now().Before(due) {
		p.until(due)
		return
	}
	late := time.Since(p.due)
	pause := p.mark.Since()
	pause.Late = late
	err := pause.Excuse(p.missing(), p.window())
	answer := supervise.Answer{Probe: p.index, Name: p.name, Detail: err.Error(), Inconclusive: p.excuses.excused(err)}
	p.said = false
	again := p.liveness() || answer.Inconclusive
	sv.answered(answer)
	if !again || p.ended {
		return
	}
	p.begin(time.Now().Add(p.window()))
	p.look() // which asks to be told of the next sign of life
}

// answered takes the answer of a probe that was not asked.
func (sv *service) answered(a supervise.Answer) {
	if a.Inconclusive {
		sv.stalls++
	}
	sv.tally.answered(a)
	sv.step(a)
}

// still is until when something may still be said.
func (p *awaited) still() time.Time {
	if !p.liveness() {
		return p.sv.machine.StartBy(p.index)
	}
	h := p.sv.hearing
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.alive.After(p.since) {
		p.since, p.mark = h.alive, p.sv.sup.stall.Mark(p.sv.incarnation)
	}
	return p.since.Add(p.probe.Every.Std())
}

// window is how long there was to say it.
func (p *awaited) window() time.Duration {
	if p.liveness() {
		return p.probe.Every.Std()
	}
	return p.probe.StartWithin.Std()
}

// missing is what was not said.
func (p *awaited) missing() error {
	within := " within " + plan.Duration(p.window().Milliseconds()).String()
	h := p.sv.hearing
	switch {
	case p.probe.LogLine != nil:
		return errors.New("no line of its output matched" + within)
	case p.liveness():
		return errors.New("WATCHDOG=1 did not come" + within)
	case p.probe.Notify.Descriptor == 0:
		return errors.New("READY=1 did not come" + within)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return errors.New("the descriptor was closed without a newline")
	}
	return errors.New("no newline came" + within)
}
