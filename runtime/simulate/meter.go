package simulate

import (
	"time"

	"recipe/runtime/supervise"
)

// phase is where the time of a service goes.
type phase int

// The phases, in the order in which an outage goes through them.
const (
	serving phase = iota
	unwanted
	hostDown
	unsupervised
	unnoticed
	stopping
	killed
	delayed
	queuing
	preparing
	comingUp
	phases // how many there are
)

// String says it in a sentence on time that was lost.
func (p phase) String() string {
	return [phases]string{"serving", "stopped by choice", "the host is down or paused", "no supervisor runs", "the fault is not noticed, or passes by itself",
		"the daemon ends, within its grace", "what is left of it is killed", "the delay before the next start", "the start waits for others",
		"the start is prepared, or cannot be", "the daemon comes up"}[p]
}

// meter measures what a service goes through.
type meter struct {
	began   bool // it has served once
	phase   phase
	since   time.Duration
	total   [phases]time.Duration
	causes  map[string]*Cause
	outage  time.Duration // of the one under way
	cause   string        // of it
	outages int
	worst   time.Duration
	of      string // what the worst came of

	restarts, hung, falseKills, early, graceOver, leftovers, deaths int
}

// Cause is what a fault has cost.
type Cause struct {
	What            string
	Outages         int
	Downtime, Worst time.Duration
}

// at is where the service is now.
func (sv *service) at() phase {
	w := sv.w
	t := sv.living()
	switch {
	case sv.noted || !sv.present:
		return unwanted
	case w.down || w.paused > w.now:
		return hostDown
	case t != nil && t.responsive(w.now) == w.now:
		return serving
	case !w.up:
		return unsupervised
	}
	switch sv.state() {
	case supervise.Running:
		if t != nil && !t.served {
			return comingUp
		}
		return unnoticed
	case supervise.Ending:
		return stopping
	case supervise.Killing:
		return killed
	case supervise.Waiting:
		return delayed
	case supervise.Queued:
		return queuing
	case supervise.Starting:
		return preparing
	}
	return unsupervised
}

// measure takes in what has come of the last happening.
func (sv *service) measure() {
	m := &sv.meter
	if !sv.w.measured {
		return
	}
	now := sv.at()
	if now == m.phase && m.began {
		return
	}
	if !m.began {
		if now != serving {
			return
		}
		m.began = true
		m.since = sv.w.now
	}
	passed := sv.w.now - m.since
	m.total[m.phase] += passed
	if m.phase != serving && m.phase != unwanted {
		m.outage += passed
	}
	switch {
	case now == serving || now == unwanted:
		m.recovered()
	case m.phase == serving:
		m.cause = sv.cause
	}
	m.phase, m.since = now, sv.w.now
}

// blame says what keeps the service from being started, whatever ended it.
func (m *meter) blame(what string) { m.cause = what }

// recovered ends the outage under way.
func (m *meter) recovered() {
	if m.outage == 0 {
		return
	}
	m.outages++
	if m.causes == nil {
		m.causes = map[string]*Cause{}
	}
	c := m.causes[m.cause]
	if c == nil {
		c = &Cause{What: m.cause}
		m.causes[m.cause] = c
	}
	c.Outages++
	c.Downtime += m.outage
	c.Worst = max(c.Worst, m.outage)
	if m.outage > m.worst {
		m.worst, m.of = m.outage, m.cause
	}
	m.outage = 0
}

// count takes in a step of the machine.
func (m *meter) count(sv *service, before supervise.State, e supervise.Event) {
	now := sv.state()
	switch e := e.(type) {
	case supervise.Admitted:
		if before == supervise.Queued && sv.machine.Restarts > 0 {
			m.restarts++
		}
	case supervise.Exited:
		if before == supervise.Starting || before == supervise.Running {
			m.deaths++
		}
	case supervise.Emptied:
		if e.Left > 0 && !sv.machine.Executed.IsZero() {
			m.leftovers++
		}
	case supervise.Timer:
		if before == supervise.Ending && now == supervise.Killing {
			m.graceOver++
		}
	case supervise.Answer:
		if before != supervise.Running || now != supervise.Killing {
			return
		}
		m.hung++
		if t := sv.last(); t != nil && !t.hung && t.leader {
			m.falseKills++
			if !t.served {
				m.early++
			}
		}
	}
}

// last is the tree that was spawned last.
func (sv *service) last() *tree {
	if len(sv.trees) == 0 {
		return nil
	}
	return sv.trees[len(sv.trees)-1]
}
