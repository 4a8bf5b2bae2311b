package plan

import (
	"errors"
	"fmt"
)

// PortableForward is nil for a service whose lines go where they are forwarded without a supervisor as well: the journal has
// the output of systemd's services. The error goes on after the service.
func (s *Service) PortableForward() error {
	if f := s.Logs.Forward; f != ForwardNone && f != ForwardJournald {
		return errors.New("is forwarded to syslog, which only the supervisor does: under an init nothing of ours reads its output")
	}
	return nil
}

func (c *checker) forward(at string, s *Service) {
	pkg := c.plan.Package
	if pkg == nil || pkg.Runtime != RuntimeStandalone || pkg.Style == StyleBare {
		return
	}
	if err := s.PortableForward(); err != nil {
		c.report(Problem{Path: at + ".logs.forward", Code: CodePortable, Message: "a service of a standalone package " + err.Error(),
			Hint: `package(runtime = "recipe") has recipe itself supervise it; forward = "journald" holds anyway, since systemd's journal has its output`})
	}
}

func (c *checker) logs(at string, l Logs) {
	c.between(at+".size", int64(l.Size), 4096, largest, showSize)
	c.between(at+".keep", int64(l.Keep), 0, 1000, showInt)
	if l.MaxAge != 0 {
		c.between(at+".max_age", int64(l.MaxAge), second, 366*day, showDuration)
	}
	if l.Format != LogText {
		c.choice(at+".format", "format of a log", string(l.Format), string(LogJSON))
	}
	if l.Timestamps && l.Format == LogJSON {
		c.report(Problem{Path: at + ".timestamps", Code: CodeKind, Message: "a line of JSON has its time anyway", Hint: "leave timestamps out"})
	}
	if l.Forward != ForwardNone {
		c.choice(at+".forward", "receiver of logs", string(l.Forward), LogForwards()...)
	}
	if l.Rate != 0 {
		c.between(at+".rate", int64(l.Rate), 1, 1_000_000, showInt)
		c.between(at+".burst", int64(l.Burst), int64(min(max(l.Rate, 1), 1_000_000)), 100_000_000, showInt)
	} else if l.Burst != 0 {
		c.report(Problem{Path: at + ".burst", Code: CodeKind, Message: "a burst has no meaning without a rate", Found: fmt.Sprint(l.Burst)})
	}
}
