package process

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"recipe/runtime/launch"
)

func TestExitIsSeen(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		for _, test := range []struct {
			role string
			want Status
		}{
			{"exit", Status{Code: 7}},
			{"crash", Status{Signal: syscall.SIGTERM}},
		} {
			r := start(t, h, "foo", test.role)
			r.expect(Executed{})
			r.expect(Exited{test.want})
			r.end()
		}
	})
}

func TestSignalReachesTheLeader(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "serve")
		if pid := r.pid(); pid != r.PID() {
			t.Errorf("the daemon has pid %d, the leader %d", pid, r.PID())
		}
		if err := r.Signal("KILL"); err != nil {
			t.Fatal(err)
		}
		r.expect(Executed{})
		r.expect(Exited{Status{Signal: syscall.SIGKILL}})
		if others, err := r.KillTree(t.Context()); err != nil || others != 0 {
			t.Errorf("KillTree of a lone dead leader: %d others, %v", others, err)
		}
		if err := r.Signal("TERM"); err != nil {
			t.Errorf("a signal to a dead leader: %v", err)
		}
	})
}

func TestStoppedMeansEmpty(t *testing.T) {
	for _, role := range []string{
		"parent:stubborn", "parent:parent:stubborn", "launcher:stubborn", "launcher:launcher:stubborn",
		"launcher:closed", "launcher:launcher:closed",
	} {
		t.Run(role, func(t *testing.T) {
			eachContainment(t, func(t *testing.T, h *Host) {
				r := start(t, h, "foo", role)
				r.expect(Executed{})
				pid := r.pid()
				if strings.HasPrefix(role, "launcher") {
					r.expect(Exited{})
				}
				if !slices.Contains(r.Members(), pid) {
					t.Errorf("process %d is not among the members %d", pid, r.Members())
				}
				others, err := r.KillTree(t.Context())
				if err != nil || others == 0 {
					t.Errorf("KillTree met %d others: %v", others, err)
				}
				if lives(pid) || len(r.Members()) > 0 {
					t.Errorf("process %d is left, members %d", pid, r.Members())
				}
			})
		})
	}
}

func TestNeverTwo(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "parent:stubborn")
		pid := r.pid()
		_, err := tryStart(t, h, "foo", "serve")
		if !errors.Is(err, ErrHeld) {
			t.Fatalf("a second start: %v", err)
		}
		if err := r.Signal("KILL"); err != nil {
			t.Fatal(err)
		}
		r.expect(Executed{})
		r.expect(Exited{Status{Signal: syscall.SIGKILL}})
		_, err = tryStart(t, h, "foo", "serve")
		if !errors.Is(err, ErrHeld) || !lives(pid) {
			t.Fatalf("a second start while a child lives: %v", err)
		}
		r.end()
		start(t, h, "foo", "serve").expect(Executed{})
	})
}

func TestReasonOfAnUnsaneEnvironmentArrives(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "serve", func(s *launch.Spec) { s.Argv[0] = "/no/such/program" })
		got := <-r.events
		if e, ok := got.(NotSane); !ok || !strings.Contains(e.Reason, "/no/such/program") {
			t.Errorf("got %#v", got)
		}
		if line := r.line(); !strings.Contains(line, "/no/such/program") {
			t.Errorf("the log says %q", line)
		}
		r.expect(Exited{Status{Code: launch.ExitInsane}})
	})
}

func TestEndLeavesNothing(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "parent:stubborn")
		pid := r.pid()
		if _, err := r.End(context.Background(), nil); err != nil || lives(pid) {
			t.Errorf("End: %v; process %d lives: %t", err, pid, lives(pid))
		}
		r.once.Do(func() { r.output.Close() })
	})
}
