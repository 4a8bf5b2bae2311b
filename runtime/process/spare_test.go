package process

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
)

// What was spawned before anybody knew for whom is held like any other leader.
func TestSpareBecomesALeaderLikeAnyOther(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		byLauncher(h)
		start(t, h, "foo", "serve").end()
		for _, role := range []string{"serve", "parent:stubborn", "launcher:launcher:closed"} {
			awaitSpare(t, h)
			spare := h.spare.pid
			r := start(t, h, "foo", role)
			if r.PID() != spare {
				t.Errorf("the leader is %d, not the spare launcher %d", r.PID(), spare)
			}
			r.expect(Executed{})
			pid := r.pid()
			if !slices.Contains(r.Members(), pid) {
				t.Errorf("%s: process %d is not among the members %d", role, pid, r.Members())
			}
			if marker := environMarker(pid); role != "launcher:launcher:closed" && marker != "foo/"+r.id+"/"+h.hash {
				t.Errorf("%s: the marker is %q", role, marker)
			}
			r.end()
			if lives(pid) {
				t.Errorf("%s: process %d is left", role, pid)
			}
		}
		awaitSpare(t, h)
		r := start(t, h, "foo", "serve", func(s *launch.Spec) { s.Argv[0] = "/no/such/program" })
		if e, ok := (<-r.events).(NotSane); !ok || !strings.Contains(e.Reason, "/no/such/program") {
			t.Errorf("got %#v", e)
		}
	})
}

func TestSpareThatDiedIsDoneWithout(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		byLauncher(h)
		start(t, h, "foo", "serve").end()
		awaitSpare(t, h)
		spare := h.spare.pid
		if err := unix.Kill(spare, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the spare is dead", func() bool { return !lives(spare) })
		r := start(t, h, "foo", "serve")
		r.expect(Executed{})
		if r.PID() == spare {
			t.Error("the leader is a spare launcher that is dead")
		}
	})
}

// A supervisor that ends while its next spare is being spawned does not leave that behind, for a moment even.
func TestCloseLeavesNoSpareInTheMaking(t *testing.T) {
	for range 30 {
		h := newHost(t, t.TempDir(), false)
		go h.makeSpare()
		eventually(t, "a spare is being made", func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.spawning > 0 || h.spare != nil
		})
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		h.mu.Lock()
		if h.spawning > 0 {
			t.Error("the host is closed, and a spare is still being spawned")
		}
		h.mu.Unlock()
		for _, pid := range h.children() {
			if strings.HasSuffix(environMarker(pid), h.hash) {
				t.Errorf("process %d is left", pid)
			}
		}
	}
}
