package supervise

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

func (s *step) answer(e Answer) {
	if s.State != Running || e.Probe < 0 || e.Probe >= len(s.probes) {
		return
	}
	p := &s.probes[e.Probe]
	switch {
	case e.Inconclusive:
		s.record("inconclusive", "%s: %s", e.Name, e.Detail)
	case e.OK:
		p.failures = 0
		if p.successes++; p.successes >= s.Config.Probes[e.Probe].Successes {
			p.answered = true
			s.judge()
		}
	default:
		p.successes = 0
		s.failed(e, p)
	}
}

// judge finds the service healthy once every probe has answered and none is failing.
func (s *step) judge() {
	for _, p := range s.probes {
		if !p.answered || p.failures > 0 {
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
	if !p.answered && s.now.Sub(s.Executed) < config.StartWithin.Std() {
		return
	}
	p.failures++
	s.Healthy = false
	if p.failures < config.Failures {
		s.record("unhealthy", "%s: %s (%d of %d)", e.Name, e.Detail, p.failures, config.Failures)
		return
	}
	s.ending = "hung: " + e.Name + ": " + e.Detail
	s.record("kill", "%s: %s (%d of %d)", e.Name, e.Detail, p.failures, config.Failures)
	s.kill(s.ending)
}
