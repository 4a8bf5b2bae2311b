package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
	"recipe/runtime/plan"
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
		if others, err := r.KillTree(t.Context(), nil); err != nil || others != 0 {
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
		"launcher:closed", "launcher:launcher:closed", "launcher:launcher:naked",
	} {
		t.Run(role, func(t *testing.T) {
			eachContainment(t, func(t *testing.T, h *Host) {
				r := start(t, h, "foo", role)
				r.expect(Executed{})
				pid := r.pid()
				if strings.HasPrefix(role, "launcher") {
					r.expect(Exited{})
				}
				eventually(t, "the process is among the members", func() bool { return slices.Contains(r.Members(), pid) })
				others, err := r.KillTree(t.Context(), nil)
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

// What has left its leader is found while another service is being started as well.
func TestStoppedMeansEmptyWhileOthersStart(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "launcher:closed")
		r.expect(Executed{})
		pid := r.pid()
		r.expect(Exited{})
		spawning := func(by int) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.spawning += by
		}
		spawning(1)
		defer spawning(-1)
		if _, err := r.KillTree(t.Context(), nil); err != nil || lives(pid) {
			t.Errorf("KillTree: %v; process %d lives: %t", err, pid, lives(pid))
		}
	})
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

// A step that hangs: the launcher dies before it is the daemon, and the step with it.
func TestLauncherKilledInPrepareNeverWasTheDaemon(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "serve", func(s *launch.Spec) {
			s.Steps = []launch.Step{{Run: &launch.Run{Argv: []string{"/bin/sh", "-c", "echo pid $$; sleep 1000"}, Timeout: 1e6}}}
		})
		step := r.pid()
		if err := r.Signal("KILL"); err != nil {
			t.Fatal(err)
		}
		r.expect(Exited{Status{Signal: syscall.SIGKILL}})
		r.end()
		if lives(step) {
			t.Errorf("the step, process %d, is left", step)
		}
	})
}

func TestFailedStepIsTheReason(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "serve", func(s *launch.Spec) {
			s.Steps = []launch.Step{{Run: &launch.Run{Argv: []string{"/bin/false"}, Timeout: 10_000}}}
		})
		r.expect(NotSane{"/bin/false failed with exit code 1"})
		r.expect(Exited{Status{Code: launch.ExitInsane}})
	})
}

// What this process ignores and blocks must not reach a daemon.
func TestDaemonStartsWithCleanSignals(t *testing.T) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGUSR2)
	t.Cleanup(func() { signal.Reset(syscall.SIGHUP, syscall.SIGUSR2) })
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var blocked, before unix.Sigset_t
	blocked.Val[0] = 1 << (syscall.SIGUSR1 - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &blocked, &before); err != nil {
		t.Fatal(err)
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)

	r := start(t, newHost(t, t.TempDir(), true), "foo", "", func(s *launch.Spec) {
		s.Argv = []string{"/bin/cat", "/proc/self/status"}
	})
	for seen := 0; seen < 3; {
		line := r.line()
		if name, value, _ := strings.Cut(line, "\t"); slices.Contains([]string{"SigBlk:", "SigIgn:", "SigCgt:"}, name) {
			seen++
			if value != "0000000000000000" {
				t.Errorf("the daemon has %s", line)
			}
		}
	}
}

func TestDaemonInheritsTheLockAlone(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		stray, err := unix.Dup(0) // without close-on-exec, as from a careless parent
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(stray)
		r := start(t, h, "foo", "", func(s *launch.Spec) { s.Argv = []string{"/bin/sleep", "1000"} })
		r.expect(Executed{})
		names, err := readNames(fmt.Sprintf("/proc/%d/fd", r.PID()))
		slices.Sort(names)
		if want := []string{"0", "1", "100", "2"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("the daemon has the descriptors %v, want %v: %v", names, want, err)
		}
		if marker := environMarker(r.PID()); marker != "foo/"+r.id+"/"+h.hash {
			t.Errorf("the daemon's marker is %q", marker)
		}
		if link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", r.PID())); err != nil || link != os.DevNull {
			t.Errorf("the daemon's stdin is %s: %v", link, err)
		}
	})
}

// Stdout that somebody holds on to says nothing about the leader's end.
func TestGrandchildThatKeepsStdoutDelaysNothing(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "launcher:stubborn")
		r.expect(Executed{})
		r.expect(Exited{})
		pid := r.pid()
		if !lives(pid) {
			t.Errorf("the grandchild %d ended with the leader", pid)
		}
		r.end()
		if lives(pid) {
			t.Errorf("the grandchild %d is left", pid)
		}
	})
}

// Descriptors, children and cgroups after many lives are what they were.
func TestManyLivesLeaveNothing(t *testing.T) {
	t.Run("forker", func(t *testing.T) { eachContainment(t, liveOften) })
	t.Run("launcher", func(t *testing.T) {
		eachContainment(t, func(t *testing.T, h *Host) { liveOften(t, byLauncher(h)) })
	})
}

func liveOften(t *testing.T, h *Host) {
	sleeper := func(s *launch.Spec) { s.Argv = []string{"/bin/sleep", "1000"} }
	first := start(t, h, "many", "", sleeper)
	since, _ := readProc(first.PID())
	first.end()
	before := remains(t, h, since.started)
	for n := range 200 {
		r, err := tryStart(t, h, "many", "", sleeper)
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			r.expect(Executed{})
		}
		r.end()
	}
	// The orphan collector looks at /proc by itself, and holds a descriptor while it does.
	var after held
	eventually(t, "no more is held than before 200 lives", func() bool {
		after = remains(t, h, since.started)
		return after.descriptors <= before.descriptors && after.children <= before.children && after.cgroups <= before.cgroups
	})
	t.Logf("before: %+v, after: %+v", before, after)
}

// held is what a process has while it supervises.
type held struct{ descriptors, children, cgroups int }

// remains counts what this process holds, children younger than since, and the leaves of the host's service.
func remains(t *testing.T, h *Host, since uint64) held {
	t.Helper()
	if h.options.NoForker {
		awaitSpare(t, h)
	}
	descriptors, err := readNames("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, pid := range h.children() {
		if p, ok := readProc(pid); ok && p.started >= since {
			ours++
		}
	}
	leaves, _ := filepath.Glob(h.cgroup + "/" + leafPrefix + "many-*")
	return held{len(descriptors), ours, len(leaves)}
}

// An orphan that dies while its service lives is not left a zombie, and a command of this process is left alone.
func TestOrphansAreReaped(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "launcher:fork:serve")
		pid := r.pid()
		own := exec.Command("/bin/true")
		if err := own.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the orphan is ours", func() bool { p, _ := readProc(pid); return p.parent == os.Getpid() })
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the orphan is gone", func() bool { _, ok := readProc(pid); return !ok })
		if err := own.Wait(); err != nil {
			t.Errorf("a command of the supervisor's own: %v", err)
		}
	})
}

func TestMemoryLimitIsSetOrSaid(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "serve", func(s *launch.Spec) { s.Limits.Memory = 64 << 20 })
		r.pid()
		if r.leaf != nil {
			if text, err := os.ReadFile(r.leaf.file("memory.max")); err == nil {
				if strings.TrimSpace(string(text)) != "67108864" {
					t.Errorf("memory.max is %s", text)
				}
				return
			}
		}
		r.end()
		start(t, h, "foo", "serve", func(s *launch.Spec) { s.Limits.Memory = 64 << 20 }).pid()
		// Said once, however often the service starts: each incarnation's cgroup has a name of its own.
		if notes := h.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "foo") {
			t.Errorf("the notes are %q", notes)
		}
	})
}

// TestTreesAreBoundByTheirCgroup writes what the kernel's controllers read, where they are and where they are not.
func TestTreesAreBoundByTheirCgroup(t *testing.T) {
	folder := leaf{t.TempDir()}
	for _, name := range []string{"cpu.max", "pids.max"} {
		if err := os.WriteFile(folder.file(name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	said := []string{}
	for _, b := range bounds(&plan.Limits{Memory: 1 << 20, CPU: 150, PIDs: 40}) {
		if err := folder.bound(b); err != nil {
			said = append(said, err.Error())
		}
	}
	for name, want := range map[string]string{"cpu.max": "150000 100000", "pids.max": "40"} {
		if got, err := os.ReadFile(folder.file(name)); string(got) != want || err != nil {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	if len(said) != 1 || said[0] != "its cgroup has no memory controller" {
		t.Errorf("what cannot be bound: %q", said)
	}
}

func TestContainmentIsSaid(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		want := "process group and subreaper: no writable cgroup2 (not wanted)"
		if h.cgroup != "" {
			want = "cgroup " + h.cgroup
		}
		if got := h.Containment(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
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

// Between its clone and its exec a child has a copy of every lock that we hold just then: it is not killed for that, being
// another service's.
func TestEndSparesWhatIsJustBeingSpawned(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "serve")
		pid := r.pid()
		if err := r.Signal("KILL"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is dead", func() bool { return !lives(pid) })
		lock, err := h.takeLock(incarnationDir, "foo", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		other := exec.Command("/bin/sleep", "0.05")
		other.ExtraFiles = []*os.File{lock}
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		lock.Close()
		_, failed := r.KillTree(t.Context(), nil)
		if err := other.Wait(); err != nil || failed != nil {
			t.Errorf("KillTree: %v; the other: %v", failed, err)
		}
	})
}
