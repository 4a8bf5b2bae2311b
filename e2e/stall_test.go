package e2e

import (
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// TestStoppedSupervisorKillsNobody stops the supervisor itself for a while, in the midst of its probes: that no answer was
// heard meanwhile is not the daemon's fault.
func TestStoppedSupervisorKillsNobody(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	args, _ := ports(t)
	s := h.run(append(args, "--dev", h.tour(`every = "1s", timeout = "900ms"`, `every = "300ms", timeout = "290ms"`))...)
	first := h.becomesHealthy("foo", "foo")
	lengths := []time.Duration{500 * time.Millisecond, time.Second, 500 * time.Millisecond, 5 * time.Second}
	if testing.Short() {
		lengths = lengths[:2]
	}
	for _, length := range lengths {
		if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(length) // the stall itself
		s.cmd.Process.Signal(syscall.SIGCONT)
		h.becomesHealthy("foo", "foo")
	}
	h.becomes("answers on", "foo", "foo", func(s control.Status) bool { return s.State == control.Healthy })
	if now, _ := h.status("foo", "foo"); now.PID != first.PID || now.Restarts != first.Restarts {
		t.Errorf("the daemon was replaced: %+v, before: %+v\n%s", now, first, h.must("why", "foo"))
	}
}
