package supervise

import "time"

// mostExtension is how many times start_within, or the grace of a stop, a daemon may have in all that asks for more.
const mostExtension = 10

// extendStart gives a daemon that starts more time before the failures of its probes count.
func (s *step) extendStart(e Extend) {
	if s.EverHealthy {
		return
	}
	if s.extended.IsZero() {
		s.record("extended", "the daemon asks for %s more to start; it is given ten times start_within at most", e.By)
	}
	if until := s.now.Add(e.By); until.After(s.extended) {
		s.extended = until
	}
}

// extendStop gives a daemon that stops more time before it is killed.
func (s *step) extendStop(e Extend) {
	grace := s.Config.Stop.Grace.Std()
	until, limit := s.now.Add(e.By), s.parting.Add(mostExtension*grace)
	if until.After(limit) {
		until = limit
	}
	if !until.After(s.Due) {
		return
	}
	if s.Due.Equal(s.parting.Add(grace)) {
		s.record("extended", "the daemon asks for %s more to stop; it is given ten times the grace at most", e.By)
	}
	s.Due = until
}

// StartBy is until when the failures of a probe of the incarnation that runs do not count, since it has never been answered.
func (m Machine) StartBy(probe int) time.Time {
	within := m.Config.Probes[probe].StartWithin.Std()
	by, limit := m.Executed.Add(within), m.Executed.Add(mostExtension*within)
	if m.extended.After(by) {
		by = m.extended
	}
	if by.After(limit) {
		return limit
	}
	return by
}

// leaves begins the end of a daemon that ends by itself.
func (s *step) leaves(Leaving) {
	why := "the daemon says that it is stopping"
	s.record("stopping", "%s: it has its grace of %s to end", why, s.Config.Stop.Grace)
	s.ending, s.unasked = why, true
	s.do(StopProbes{})
	s.part(why)
}

// partedBy is what began the end of the daemon.
func (s *step) partedBy(signal string) string {
	if s.unasked {
		return "it said that it was stopping"
	}
	return signal
}
