package e2e

import (
	"slices"
	"testing"

	"recipe/runtime/control"
)

// A daemon's child leaves its session, and neither of them minds TERM: stop returns only when both are gone.
func TestStopReturnsWhenNothingIsLeft(t *testing.T) {
	t.Parallel()
	eachUser(t, stopReturnsWhenNothingIsLeft)
}

func stopReturnsWhenNothingIsLeft(t *testing.T, h *home) {
	args, web := ports(t)
	s := h.run(append(args, "--dev", h.tour(`grace = "10s"`, `grace = "1s"`))...)
	first := h.becomesHealthy("foo", "foo")
	tell(web + "/do/fork")
	tell(web + "/do/ignore-term")
	if got := named(s.daemons(), "food-child"); len(got) != 1 {
		t.Fatalf("children of food: %d, want 1", len(got))
	}
	h.must("stop", "foo")
	if left := s.daemons(); len(left) > 0 {
		t.Errorf("stop returned while %d processes are left, the first is %s", len(left), name(left[0]))
	}
	if st, _ := h.status("foo", "foo"); st.State != control.Stopped {
		t.Errorf("the service is %s after its stop", st.State)
	}
	h.must("start", "foo")
	if again := h.becomesHealthy("foo", "foo"); again.PID == first.PID {
		t.Errorf("process %d is healthy again after its stop", first.PID)
	}
	s.interrupt()
	h.empty()
}

// daemons are the processes of the home besides the supervisor and what it keeps warm, a forker and a launcher that is of
// no service yet.
func (s *supervisor) daemons() []int {
	return slices.DeleteFunc(mentioning(s.dir), func(pid int) bool {
		return pid == s.cmd.Process.Pid || name(pid) == "recipe-fork" || slices.Equal(arguments(pid), []string{"recipe-launch", "spare"})
	})
}

// The stop of an operator outlives the supervisor; only a start ends it.
func TestStopOutlivesTheSupervisor(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	args, _ := ports(t)
	args = append(args, "--dev", h.tour())
	s := h.run(args...)
	h.becomesHealthy("foo", "foo")
	h.must("stop", "foo")
	s.kill()
	s = h.run(args...)
	h.becomes("stays stopped", "foo", "foo", func(s control.Status) bool { return s.State == control.Stopped && s.Stop != nil })
	if left := s.daemons(); len(left) > 0 {
		t.Errorf("a stopped service runs: %s", name(left[0]))
	}
	h.must("start", "foo")
	h.becomesHealthy("foo", "foo")
}
