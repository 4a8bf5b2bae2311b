package simulate

import (
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

// The pauses of the driver's prober.
const firstPause = 50 * time.Millisecond

// asking is a probe that is asked, as the driver asks it, but for this: once another answer would change nothing, it
// rests until something befalls the daemon, and then goes on in step with its interval.
type asking struct {
	sv       *service
	t        *tree
	index    int
	round    uint64
	probe    *plan.Probe
	pause    time.Duration
	answered bool
	ok, bad  int // conclusive answers in a row
	resting  bool
	busy     bool
	next     time.Duration // when it is asked again
}

// probe begins to ask what the machine wants asked.
func (sv *service) probe() {
	sv.round++
	sv.asking = nil
	for _, i := range sv.machine.Asked() {
		a := &asking{sv: sv, t: sv.tree, index: i, round: sv.round, probe: &sv.machine.Config.Probes[i], pause: firstPause}
		sv.asking = append(sv.asking, a)
		if a.probe.Heard() {
			a.await()
		} else {
			a.again()
		}
	}
}

// wake has all probes asked again that rest.
func (sv *service) wake() {
	for _, a := range sv.asking {
		a.ok, a.bad = 0, 0
		if a.probe.Heard() {
			a.hear()
		}
		if !a.resting {
			continue
		}
		a.resting = false
		every := a.probe.Every.Std()
		if a.probe.Heard() { // its last sign of life was some time ago
			sv.w.after(every-time.Duration(sv.random.Int64N(int64(every)/2+1)), ours, sv, a.overdue)
			continue
		}
		if behind := sv.w.now - a.next; behind > 0 {
			a.next += (behind + every - 1) / every * every
		}
		sv.w.after(a.next-sv.w.now, ours, sv, a.ask)
	}
}

func (a *asking) again() {
	a.next = a.sv.w.now + a.pause
	a.sv.w.after(a.pause, ours, a.sv, a.ask)
}

func (a *asking) over() bool { return a.sv.round != a.round || len(a.sv.asking) == 0 }

// ask finds out when the exchange will be over, and how, if nothing befalls the daemon meanwhile.
func (a *asking) ask() {
	if a.over() || a.busy || a.resting {
		return
	}
	a.busy = true
	w, timeout := a.sv.w, a.probe.Timeout.Std()
	asked, took := w.now, a.sv.w.nature.answer.draw(a.sv.random)
	from := a.t.responsive(w.now)
	switch {
	case !a.t.ready || !a.t.leader: // refused
		w.after(min(took, timeout), ours, a.sv, func() { a.end(asked, "connection refused") })
	case from == never || from-w.now+took > timeout:
		w.after(timeout, ours, a.sv, func() { a.end(asked, "no answer within "+a.probe.Timeout.String()) })
	default:
		w.after(from-w.now+took, ours, a.sv, func() {
			if a.t.responsive(w.now) == w.now {
				a.end(asked, "")
				return
			}
			w.after(asked+timeout-w.now, ours, a.sv, func() { a.end(asked, "no answer within "+a.probe.Timeout.String()) })
		})
	}
}

// end tells the answer; fault is empty for a good one.
func (a *asking) end(asked time.Duration, fault string) {
	a.busy = false
	if a.over() {
		return
	}
	w := a.sv.w
	answer := supervise.Answer{Probe: a.index, OK: fault == "", Detail: fault, Name: "probe"}
	if fault != "" && (w.stalledSince(asked) || a.t.frozen > asked) {
		answer.Inconclusive, answer.Detail = true, fault+"; the supervisor or the service was stopped meanwhile"
	}
	if !(w.now < w.late && a.sv.random.IntN(8) == 0) { // else it is lost
		a.count(&answer)
		a.sv.post(a.sv.latency(), message{event: answer, incarnation: a.t.number, round: a.round})
	}
	every := a.probe.Every.Std()
	switch {
	case a.answered:
		a.pause = max(every-(w.now-asked), firstPause)
	case answer.OK:
		a.answered = true
		a.pause = time.Duration(a.sv.random.Int64N(int64(every))) + 1
	default:
		a.pause = min(2*a.pause, every)
	}
	if a.settled() {
		a.resting, a.next = true, w.now+a.pause
		return
	}
	a.again()
}

// await waits for what the daemon says of itself.
func (a *asking) await() {
	a.hear()
	if a.probe.Role == plan.RoleLiveness {
		a.sv.w.after(a.probe.Every.Std(), ours, a.sv, a.overdue)
		return
	}
	a.until()
}

// until has the daemon's word missed when its time to start is over.
func (a *asking) until() {
	w := a.sv.w
	by := a.sv.machine.StartBy(a.index).Sub(w.instant(w.now, w.skew))
	w.after(max(by, time.Millisecond), ours, a.sv, a.overdue)
}

// hear tells what the daemon says now, once.
func (a *asking) hear() {
	if !a.answered && !a.over() && a.t.responsive(a.sv.w.now) == a.sv.w.now {
		a.answered = true
		a.says(supervise.Answer{OK: true})
	}
}

// overdue judges what was not said in time.
func (a *asking) overdue() {
	liveness := a.probe.Role == plan.RoleLiveness
	if a.over() || a.resting || a.answered && !liveness {
		return
	}
	w := a.sv.w
	if now := w.instant(w.now, w.skew); !liveness && now.Before(a.sv.machine.StartBy(a.index)) {
		a.until()
		return
	}
	since := w.now - max(a.probe.Every.Std(), a.probe.StartWithin.Std())
	if liveness && a.t.responsive(w.now) == w.now {
		a.resting = a.answered
		a.hear()
		if !a.resting {
			w.after(a.probe.Every.Std(), ours, a.sv, a.overdue)
		}
		return
	}
	answer := supervise.Answer{Detail: "it did not come in time", Inconclusive: w.stalledSince(since) || a.t.frozen > since}
	a.answered = false
	a.says(answer)
	if liveness || answer.Inconclusive {
		w.after(max(a.probe.Every.Std(), a.probe.StartWithin.Std()), ours, a.sv, a.overdue)
	}
}

// says tells an answer that nobody asked for. It is told by the service itself, so that it is neither late nor lost.
func (a *asking) says(answer supervise.Answer) {
	answer.Probe, answer.Name = a.index, "notify"
	a.sv.post(0, message{event: answer, incarnation: a.t.number, round: a.round})
}

func (a *asking) count(answer *supervise.Answer) {
	switch {
	case answer.Inconclusive:
	case answer.OK:
		a.ok, a.bad = a.ok+1, 0
	default:
		a.ok, a.bad = 0, a.bad+1
	}
}

// settled tells whether the same answers, again and again, would change nothing.
func (a *asking) settled() bool {
	if a.sv.w.now < a.sv.w.late || !a.answered {
		return false
	}
	return a.ok > a.probe.Successes || a.probe.Role == plan.RoleReadiness && a.bad > a.probe.Failures
}

func (w *world) stalledSince(asked time.Duration) bool {
	return w.stalled > asked || w.paused > asked
}
