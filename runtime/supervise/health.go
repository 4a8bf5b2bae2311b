package supervise

import (
	"time"

	"recipe/runtime/plan"
)

// watch starts the probes of an incarnation; without any, running is all the health there is.
func (s *step) watch() {
	s.probes = make([]probeState, len(s.Config.Probes))
	s.Healthy = len(s.probes) == 0
	s.EverHealthy = s.Healthy // of what is asked now
	if s.Healthy {
		s.record("running", "no probe is declared: a hang would not be noticed")
		return
	}
	s.do(Probe{})
}

// Asked are the probes, as indexes in Config.Probes, that are to be asked now: those of startup alone until each has
// answered, and then all others.
func (m Machine) Asked() []int {
	var starting, others []int
	for i, p := range m.probes {
		switch {
		case m.Config.Probes[i].Role != plan.RoleStartup:
			others = append(others, i)
		case !p.answered:
			starting = append(starting, i)
		}
	}
	if len(starting) > 0 {
		return starting
	}
	return others
}

// Answered reports whether a probe, by its index, has been answered by the incarnation that runs.
func (m Machine) Answered(probe int) bool { return probe < len(m.probes) && m.probes[probe].answered }

func (s *step) answer(e Answer) {
	if e.Probe < 0 || e.Probe >= len(s.probes) {
		return
	}
	p := &s.probes[e.Probe]
	startup := s.Config.Probes[e.Probe].Role == plan.RoleStartup
	switch {
	case startup && p.answered:
	case e.Inconclusive:
		s.inconclusive(e, p)
	case e.OK:
		p.failures, p.paused = 0, 0
		if p.successes++; p.successes >= s.Config.Probes[e.Probe].Successes {
			p.answered, p.unwell = true, false
			if startup {
				s.startedUp()
			}
			s.judge()
		}
	default:
		p.successes, p.paused = 0, 0
		s.failed(e, p)
	}
}

// inconclusive is recorded for the first of a row, and then ever more seldom: a cgroup may stay frozen for days.
func (s *step) inconclusive(e Answer, p *probeState) {
	p.paused++
	switch p.paused {
	case 1:
		s.record("inconclusive", "%s: %s", e.Name, e.Detail)
	case 10, 100, 1000, 10_000, 100_000:
		s.record("inconclusive", "%s: %s (%d in a row)", e.Name, e.Detail, p.paused)
	}
}

// startedUp begins to ask the other probes, if this was the last that they waited for.
func (s *step) startedUp() {
	for i, p := range s.probes {
		if s.Config.Probes[i].Role == plan.RoleStartup && !p.answered {
			return
		}
	}
	s.record("started", "every startup probe was answered %s after the start", s.now.Sub(s.Executed).Round(1e6))
	s.do(StopProbes{})
	if len(s.Asked()) > 0 {
		s.do(Probe{})
	}
}

// judge finds the service healthy once every probe has answered and none is failing.
func (s *step) judge() {
	for _, p := range s.probes {
		if !p.answered || p.unwell {
			return
		}
	}
	if !s.Healthy {
		s.Healthy, s.EverHealthy = true, true
		s.record("healthy", "every probe was answered %s after the start", s.now.Sub(s.Executed).Round(1e6))
	}
}

// failed counts, and kills at the limit. A daemon that never answered is given StartWithin first.
func (s *step) failed(e Answer, p *probeState) {
	config := s.Config.Probes[e.Probe]
	if !p.answered && !e.Hung && s.now.Before(s.StartBy(e.Probe)) {
		return
	}
	if p.failures++; p.failures == 1 {
		p.failing = s.now
	}
	if config.Role == plan.RoleReadiness {
		s.unready(e, p)
		return
	}
	s.Healthy, p.unwell = false, true
	if p.failures < config.Failures && !e.Hung {
		s.record("unhealthy", "%s: %s (%d of %d%s)", e.Name, e.Detail, p.failures, config.Failures, s.lasting(e, p))
		return
	}
	s.ending = "hung: " + e.Name + ": " + e.Detail
	s.record("kill", "%s: %s (%d of %d%s)", e.Name, e.Detail, p.failures, config.Failures, s.lasting(e, p))
	s.kill(s.ending)
}

// unready says once what makes the service unhealthy, however long it lasts.
func (s *step) unready(e Answer, p *probeState) {
	if p.failures == s.Config.Probes[e.Probe].Failures {
		s.Healthy, p.unwell = false, true
		s.record("unhealthy", "%s: %s (%d in a row%s): not ready, which kills nothing", e.Name, e.Detail, p.failures, s.lasting(e, p))
	}
}

// lasting is how long the probe has been failing, and how long its last question took.
func (s *step) lasting(e Answer, p *probeState) (text string) {
	if failing := s.now.Sub(p.failing).Round(time.Millisecond); failing > 0 {
		text = " in " + failing.String()
	}
	if took := e.Took.Round(time.Millisecond); took > 0 {
		text += ", the last after " + took.String()
	}
	return text
}
