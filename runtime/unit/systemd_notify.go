package unit

import (
	"fmt"

	"recipe/runtime/plan"
)

// notifies says what systemd is told by the daemon itself. The time to be ready includes that of the steps, since the launcher
// becomes the daemon.
func (t *text) notifies(s *plan.Service) error {
	kind, within := "exec", ""
	for i := range s.Probes {
		p := &s.Probes[i]
		if p.Heard() {
			if err := plan.Portable(p); err != nil {
				return fmt.Errorf("cannot make the unit of %q: probe %d %w: have recipe itself supervise it", s.Name, i+1, err)
			}
		}
		switch {
		case p.Notify == nil || p.Role == plan.RoleLiveness:
		case p.Role == plan.RoleStartup:
			kind, within = "notify", span(p.StartWithin+preparation(s))
		case within == "":
			kind, within = "notify", "infinity"
		}
	}
	t.set("Type", kind)
	if told, _ := s.Notifies(); told {
		t.set("NotifyAccess", "all")
	}
	if within != "" {
		t.set("TimeoutStartSec", within)
		t.set("TimeoutStartFailureMode", "kill")
	}
	for i := range s.Probes {
		if p := &s.Probes[i]; p.Notify != nil && p.Role == plan.RoleLiveness {
			t.set("WatchdogSec", span(p.Every*plan.Duration(p.Failures)))
			t.set("WatchdogSignal", "SIGKILL")
		}
	}
	return nil
}

// preparation is the most that the steps may take that have a time of their own.
func preparation(s *plan.Service) (total plan.Duration) {
	for i := range s.Prepare {
		switch step := &s.Prepare[i]; {
		case step.Run != nil:
			total += step.Run.Timeout
		case step.WaitFor != nil:
			total += step.WaitFor.Timeout
		}
	}
	return total
}
