package simulate

import (
	"math"
	"reflect"
	"slices"
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

// rules is what is known of a service without asking its machine, of what was told and of what the kernel holds. After
// every step the machine has to bear it out.
type rules struct {
	declared bool // the first order was heard
	wanted   bool // by the last order that was heard
	atOnce   bool // the next start was asked for while it ended
	deaths   int  // quick ones in a row
	executed time.Time
	counts   []count   // by probe
	extended time.Time // until when the daemon has asked for, to start
	ever     bool      // it was healthy
	parting  time.Time
	graceEnd time.Time
	told     int  // records since the end of the incarnation began
	open     bool // a run of a task was spawned, and its end was not told
	ok       bool // the leader of that run ended well
}

// count is of one probe's answers.
type count struct {
	answered        bool
	failing         bool // until it has answered again
	successes, fail int  // in a row
}

// before takes the event in.
func (r *rules) before(sv *service, m *supervise.Machine, now time.Time, e supervise.Event) {
	gone := m.State == supervise.Ending || m.State == supervise.Killing
	switch e := e.(type) {
	case supervise.Start:
		r.declared, r.wanted = true, true
		r.atOnce = r.atOnce || gone && sv.task == nil
	case supervise.RunNow:
		r.declared, r.wanted = true, true
		r.atOnce = r.atOnce || gone
	case supervise.Stop:
		r.declared, r.wanted, r.atOnce = true, false, false
	case supervise.Restart:
		r.atOnce = r.wanted
	case supervise.Reload:
		r.atOnce = r.atOnce || m.State == supervise.Starting
	case supervise.Admitted:
		if m.State == supervise.Queued {
			r.atOnce, r.executed, r.told, r.ok = false, time.Time{}, 0, false
		}
	case supervise.Executed:
		if m.State == supervise.Starting {
			r.executed, r.extended = now, time.Time{}
			r.counts = make([]count, len(m.Config.Probes))
			r.ever = len(r.counts) == 0
		}
	case supervise.Extend:
		r.extend(m, now.Add(e.By))
	case supervise.Exited:
		r.ok = r.ok || m.State == supervise.Running && e.OK
	case supervise.Configure:
		if m.State == supervise.Running && !reflect.DeepEqual(m.Config.Probes, e.Config.Probes) {
			r.counts = make([]count, len(e.Config.Probes))
			r.ever = len(r.counts) == 0
		}
	}
}

// extend gives a daemon the time that it asks for: to start until it was healthy once, to stop; ten times as long as the
// recipe has it, and no longer.
func (r *rules) extend(m *supervise.Machine, until time.Time) {
	switch {
	case m.State == supervise.Running && !r.ever && until.After(r.extended):
		r.extended = until
	case m.State == supervise.Ending:
		if limit := r.parting.Add(10 * m.Config.Stop.Grace.Std()); until.After(limit) {
			until = limit
		}
		if until.After(r.graceEnd) {
			r.graceEnd = until
		}
	}
}

// startBy is until when failures of a probe that was never answered count for nothing.
func (r *rules) startBy(p *plan.Probe) time.Time {
	within := p.StartWithin.Std()
	return r.executed.Add(min(max(within, r.extended.Sub(r.executed)), 10*within))
}

// after holds every rule to what the step made of the machine.
func (r *rules) after(sv *service, before *supervise.Machine, now time.Time, e supervise.Event, actions []supervise.Action) {
	m := &sv.machine
	r.table(sv, before.State, e)
	r.empty(sv, m)
	r.goesOn(sv, m)
	r.admin(sv, m)
	r.reasons(sv, before, m, e, actions)
	r.judged(sv, before, m, now, e)
	r.health(sv, m)
	r.grace(sv, before, m, now, e, actions)
	if sv.task == nil {
		r.delays(sv, before, m, now, e)
	} else {
		r.runs(sv, before, m, now, e, actions)
	}
}

// empty: where nothing is said to run, nothing runs.
func (r *rules) empty(sv *service, m *supervise.Machine) {
	switch m.State {
	case supervise.Stopped, supervise.Waiting, supervise.Queued, supervise.Done:
		for _, t := range sv.trees {
			if t.alive() {
				sv.w.breaks("stopped means empty", "%s is %s, and of incarnation %d a leader %t and %d more live", sv.Name, m.State, t.number, t.leader, t.others)
			}
		}
	}
}

// goesOn: whatever the state, something is on its way that will end it.
func (r *rules) goesOn(sv *service, m *supervise.Machine) {
	ok := true
	switch m.State {
	case supervise.Stopped:
		ok = !m.Wanted
	case supervise.Waiting, supervise.Ending:
		ok = !m.Due.IsZero()
	case supervise.Queued:
		ok = sv.waiting || sv.slot != 0 || sv.admitted > 0
	case supervise.Starting, supervise.Running:
		ok = len(sv.pending) > 0 || sv.inflight > 0 || sv.tree != nil && sv.tree.leader
	case supervise.Killing:
		ok = sv.killing || len(sv.pending) > 0
	}
	if !ok {
		sv.w.breaks("never given up", "%s is %s, wanted %t, and nothing will change that", sv.Name, m.State, m.Wanted)
	}
}

// admin: what was ordered last holds, and over supervisors what the disk says.
func (r *rules) admin(sv *service, m *supervise.Machine) {
	if !r.declared || sv.orders > 0 {
		return
	}
	if m.Wanted != r.wanted {
		sv.w.breaks("admin state", "%s: the last order wants it %t, the machine %t", sv.Name, r.wanted, m.Wanted)
	}
	if !sv.leaving && !sv.w.ending && sv.noted == m.Wanted {
		sv.w.breaks("admin state", "%s: an admin's stop is noted %t, and it is wanted %t", sv.Name, sv.noted, m.Wanted)
	}
	if !m.Wanted && (m.State == supervise.Waiting || m.State == supervise.Queued || m.State == supervise.Starting || m.State == supervise.Running) {
		sv.w.breaks("admin state", "%s is %s, and not wanted", sv.Name, m.State)
	}
}

// reasons: every end has a record, every record and every state a reason.
func (r *rules) reasons(sv *service, before, m *supervise.Machine, e supervise.Event, actions []supervise.Action) {
	for _, a := range actions {
		if record, ok := a.(supervise.Record); ok {
			r.told++
			if record.What == "" || record.Why == "" {
				sv.w.breaks("reasons", "%s: a record without a reason: %+v", sv.Name, record)
			}
		}
	}
	if m.Reason == "" {
		sv.w.breaks("reasons", "%s is %s without a reason", sv.Name, m.State)
	}
	if r.over(before, e) && r.told == 0 {
		sv.w.breaks("reasons", "%s: an incarnation ended, and nothing is recorded of why", sv.Name)
	}
	if before.State == supervise.Running && m.State != supervise.Running {
		if _, exited := e.(supervise.Exited); !exited && len(actions) > 0 && !recorded(actions) {
			sv.w.breaks("reasons", "%s: %s ended a daemon that ran, without a record", sv.Name, supervise.EventName(e))
		}
	}
}

func recorded(actions []supervise.Action) bool {
	return slices.ContainsFunc(actions, func(a supervise.Action) bool { _, ok := a.(supervise.Record); return ok })
}

// over tells whether the event is the end of an incarnation.
func (r *rules) over(before *supervise.Machine, e supervise.Event) bool {
	switch e.(type) {
	case supervise.Emptied:
		return before.State == supervise.Killing
	case supervise.SpawnFailed:
		return before.State == supervise.Starting
	}
	return false
}

// judged: an answer kills if and only if it is the last of as many failures in a row as the recipe says, of a probe that
// may kill; what is inconclusive, or comes while the daemon is given time, counts for nothing.
func (r *rules) judged(sv *service, before, m *supervise.Machine, now time.Time, e supervise.Event) {
	answer, ok := e.(supervise.Answer)
	if !ok || before.State != supervise.Running || sv.task != nil || answer.Probe >= len(r.counts) {
		return
	}
	probe, c := &before.Config.Probes[answer.Probe], &r.counts[answer.Probe]
	kills := false
	switch {
	case answer.Inconclusive, probe.Role == plan.RoleStartup && c.answered:
	case answer.OK:
		c.fail = 0
		c.successes++
		if c.successes >= probe.Successes {
			c.answered, c.failing = true, false
		}
	case !c.answered && !answer.Hung && now.Before(r.startBy(probe)):
		c.successes = 0
	default:
		c.successes = 0
		c.fail++
		c.failing = c.failing || probe.Role != plan.RoleReadiness || c.fail >= probe.Failures
		kills = probe.Role != plan.RoleReadiness && (c.fail >= probe.Failures || answer.Hung)
	}
	killed := m.State != supervise.Running
	switch {
	case killed && !kills:
		sv.w.breaks("no false kill", "%s: killed for an answer (ok %t, inconclusive %t) of a probe with %d failures of %d in a row, %s after the start", sv.Name, answer.OK, answer.Inconclusive, c.fail, probe.Failures, now.Sub(r.executed))
	case kills && !killed:
		sv.w.breaks("hung is dead", "%s: %d failures in a row, and it is %s", sv.Name, c.fail, m.State)
	}
}

// health: a service is healthy when every probe has answered and none fails, and exactly what can change that is asked.
func (r *rules) health(sv *service, m *supervise.Machine) {
	if m.State != supervise.Running {
		if len(sv.asking) > 0 {
			sv.w.breaks("health", "%s is %s, and is asked", sv.Name, m.State)
		}
		return
	}
	if sv.task != nil {
		return
	}
	healthy, starting := true, false
	for i, c := range r.counts {
		p := &m.Config.Probes[i]
		starting = starting || p.Role == plan.RoleStartup && !c.answered
		healthy = healthy && c.answered && !c.failing
	}
	r.ever = r.ever || healthy
	if m.Healthy != healthy {
		sv.w.breaks("health", "%s is healthy %t; by its answers it would be %t", sv.Name, m.Healthy, healthy)
	}
	var want, asked []int
	for i := range m.Config.Probes {
		if startup := m.Config.Probes[i].Role == plan.RoleStartup; startup == starting {
			if !startup || !r.counts[i].answered {
				want = append(want, i)
			}
		}
	}
	for _, a := range sv.asking {
		if !(starting && r.counts[a.index].answered) { // it is asked on until the last of startup has answered
			asked = append(asked, a.index)
		}
	}
	if !slices.Equal(want, asked) {
		sv.w.breaks("health", "%s: the probes %v are asked, and not %v", sv.Name, asked, want)
	}
}

// grace: a daemon that was asked to stop is not killed before its grace is over, and is then.
func (r *rules) grace(sv *service, before, m *supervise.Machine, now time.Time, e supervise.Event, actions []supervise.Action) {
	if before.State != supervise.Ending && m.State == supervise.Ending {
		r.parting, r.graceEnd = now, now.Add(m.Config.Stop.Grace.Std())
		if _, unasked := e.(supervise.Leaving); !unasked && !slices.ContainsFunc(actions, func(a supervise.Action) bool {
			s, ok := a.(supervise.Signal)
			return ok && s.Name == m.Config.Stop.Signal
		}) {
			sv.w.breaks("grace", "%s ends without its stop signal", sv.Name)
		}
	}
	if m.State == supervise.Ending && !m.Due.Equal(r.graceEnd) {
		sv.w.breaks("grace", "%s: it is to be killed in %s, and %s of the grace are left", sv.Name, m.Due.Sub(now), r.graceEnd.Sub(now))
	}
	if _, timer := e.(supervise.Timer); !timer || before.State != supervise.Ending {
		return
	}
	if early := now.Before(r.graceEnd); early == (m.State == supervise.Killing) {
		sv.w.breaks("grace", "%s: %s of the grace is left, and it is %s", sv.Name, r.graceEnd.Sub(now), m.State)
	}
}

// delays: the next start comes at once after a stable run, else after the delay of the recipe, doubled with each quick death
// up to the cap, and never later.
func (r *rules) delays(sv *service, before, m *supervise.Machine, now time.Time, e supervise.Event) {
	restart := m.Config.Restart
	if m.State == supervise.Waiting && m.Due.Sub(now) > restart.Cap.Std() {
		sv.w.breaks("delays", "%s waits %s; the cap is %s", sv.Name, m.Due.Sub(now), restart.Cap)
	}
	if _, timer := e.(supervise.Timer); timer && before.State == supervise.Waiting && now.Before(before.Due) == (m.State != supervise.Waiting) {
		sv.w.breaks("delays", "%s: %s of the delay is left, and it is %s", sv.Name, before.Due.Sub(now), m.State)
	}
	if !r.over(before, e) {
		return
	}
	if !r.wanted {
		if m.State != supervise.Stopped {
			sv.w.breaks("admin state", "%s is not wanted, and nothing of it is left: it is %s", sv.Name, m.State)
		}
		return
	}
	if r.atOnce {
		r.deaths = 0
		if m.State != supervise.Queued {
			sv.w.breaks("delays", "%s: its start was asked for, and it is %s", sv.Name, m.State)
		}
		return
	}
	if !r.executed.IsZero() && now.Sub(r.executed) >= restart.StableAfter.Std() {
		r.deaths = 0
	}
	r.deaths++
	least, most := time.Duration(0), time.Duration(0)
	if r.deaths > 1 {
		base := min(float64(restart.Cap.Std()), float64(restart.Delay.Std())*math.Pow(2, float64(r.deaths-2)))
		spread := float64(restart.JitterPermille) / 1000
		least, most = time.Duration(base*(1-spread)), time.Duration(min(float64(restart.Cap.Std()), base*(1+spread)))
	}
	delay := time.Duration(0)
	if m.State == supervise.Waiting {
		delay = m.Due.Sub(now)
	}
	if delay < least-time.Microsecond || delay > most+time.Microsecond {
		sv.w.breaks("delays", "%s: the next start comes in %s after %d quick deaths; wanted %s to %s", sv.Name, delay, r.deaths, least, most)
	}
}

// runs: a run of a task ends by its timeout, and is told to have ended before the next; the next comes within the interval.
func (r *rules) runs(sv *service, before, m *supervise.Machine, now time.Time, e supervise.Event, actions []supervise.Action) {
	task := sv.task.Task
	for _, a := range actions {
		switch a := a.(type) {
		case supervise.Spawn:
			if r.open {
				sv.w.breaks("runs", "%s: a run begins, and the end of the last was not told", sv.Name)
			}
			r.open = true
		case supervise.Ran:
			if !r.open || a.Result == "" || !r.over(before, e) {
				sv.w.breaks("runs", "%s: an end of a run is told, with the result %q, that is none", sv.Name, a.Result)
			}
			if a.OK != r.ok {
				sv.w.breaks("runs", "%s: a run that ended well %t is told as %t", sv.Name, r.ok, a.OK)
			}
			r.open = false
		}
	}
	_, timer := e.(supervise.Timer)
	switch m.State {
	case supervise.Stopped, supervise.Waiting, supervise.Queued, supervise.Done:
		if r.open {
			sv.w.breaks("runs", "%s is %s, and the end of the last run was not told", sv.Name, m.State)
		}
	case supervise.Starting, supervise.Running:
		if m.Due.IsZero() || m.Due.Sub(now) > task.Timeout || timer && before.State == m.State && !now.Before(m.Due) {
			sv.w.breaks("runs", "%s is %s, with %s left of a timeout of %s", sv.Name, m.State, m.Due.Sub(now), task.Timeout)
		}
	}
	if done := r.ok && r.wanted && !r.atOnce && task.Every == 0; r.over(before, e) && done != (m.State == supervise.Done) {
		sv.w.breaks("runs", "%s, every %s: a run ended, well %t, wanted %t, asked for again %t, and it is %s", sv.Name, task.Every, r.ok, r.wanted, r.atOnce, m.State)
	}
	longest := task.Every + task.Jitter
	if task.Every == 0 {
		longest = m.Config.Restart.Cap.Std()
	}
	_, changed := e.(supervise.ConfigureTask)
	if m.State == supervise.Waiting && (timer || changed || before.State != supervise.Waiting) && m.Due.Sub(now) > longest {
		sv.w.breaks("runs", "%s waits %s for the next run, longer than %s", sv.Name, m.Due.Sub(now), longest)
	}
}
