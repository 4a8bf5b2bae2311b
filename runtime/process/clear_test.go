package process

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// supervisor is another process that supervises services of one role, below a runtime directory.
type supervisor struct {
	*exec.Cmd
	lines *bufio.Reader
	pipe  *os.File
}

func otherSupervisor(t *testing.T, h *Host, dir, role string, services ...string) *supervisor {
	t.Helper()
	containment := "cgroup"
	if h.cgroup == "" {
		containment = "fallback"
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	argument := strings.Join(append([]string{containment, dir, role}, services...), ",")
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE=supervisor:"+argument)
	cmd.Stdout, cmd.Stderr = writer, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &supervisor{cmd, bufio.NewReader(reader), reader}
	t.Cleanup(func() { s.kill(); reader.Close() })
	return s
}

// kill is what a supervisor must survive.
func (s *supervisor) kill() {
	_ = s.Process.Kill()
	_ = s.Wait()
}

func (s *supervisor) pids(t *testing.T, n int) (pids []int) {
	t.Helper()
	_ = s.pipe.SetReadDeadline(time.Now().Add(patience))
	for range n {
		line, err := s.lines.ReadString('\n')
		var pid int
		if _, bad := fmt.Sscanf(line, "pid %d", &pid); err != nil || bad != nil {
			t.Fatalf("the other supervisor said %q: %v", line, err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// clearAll clears the services at once, as a supervisor does.
func clearAll(t *testing.T, h *Host, services ...string) (all []Leftover) {
	t.Helper()
	var mu sync.Mutex
	var each sync.WaitGroup
	for _, service := range services {
		each.Go(func() {
			met := func(l Leftover) {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, l)
			}
			if _, err := h.Clear(t.Context(), service, met, nil); err != nil {
				t.Error(err)
			}
		})
	}
	each.Wait()
	return all
}

// takeOver claims the services and clears them.
func takeOver(t *testing.T, h *Host, services ...string) []Leftover {
	t.Helper()
	for _, service := range services {
		if err := h.Claim(service); err != nil {
			t.Fatal(err)
		}
	}
	return clearAll(t, h, services...)
}

// A supervisor dies at a random moment of a start, and another comes: one daemon, not two, nor none.
func TestSupervisorMayDieAtAnyInstant(t *testing.T) {
	// From the supervisor's own start on, some 5 ms, to a daemon that serves; on a busy host later.
	window := 10 * time.Millisecond
	supervisorDies(t, "", 40, func(*supervisor) {
		time.Sleep(rand.N(window))
		window += time.Millisecond
	})
}

// The same for a supervisor that restarts its daemon, by a forker, or by spare launchers 30 ms after each start.
func TestSupervisorMayDieWhileItRestarts(t *testing.T) {
	for _, manner := range []string{"again:", "spare:"} {
		t.Run(manner, func(t *testing.T) {
			supervisorDies(t, manner, 10, func(s *supervisor) {
				s.pids(t, 1)
				time.Sleep(rand.N(100 * time.Millisecond))
			})
		})
	}
}

func supervisorDies(t *testing.T, manner string, times int, wait func(*supervisor)) {
	eachContainment(t, func(t *testing.T, h *Host) {
		name := "recipe-test-" + randomID()
		caught := 0
		for range times {
			s := otherSupervisor(t, h, h.options.RuntimeDir, manner+"only:"+name, "foo")
			wait(s)
			s.kill()
			caught += len(takeOver(t, h, "foo"))
			r := start(t, h, "foo", "only:"+name)
			r.expect(Executed{})
			if pid := r.pid(); pid != r.PID() {
				t.Errorf("process %d serves in the place of %d", pid, r.PID())
			}
			r.end()
			h.Release("foo")
			eventually(t, "nothing is left", func() bool { return len(marked(t, h)) == 0 })
		}
		if caught == 0 {
			t.Error("no supervisor left anything, so that nothing was tested")
		}
		t.Logf("%d processes were left by %d supervisors", caught, times)
	})
}

// marked are all processes of the host's runtime directory but for its own spare launcher.
func marked(t *testing.T, h *Host) (pids []int) {
	t.Helper()
	all, err := snapshot()
	if err != nil {
		t.Fatal(err)
	}
	_, _, own := h.leaders()
	for _, p := range all {
		if !p.dead() && !own[p.pid] && strings.HasSuffix(environMarker(p.pid), "/"+h.hash) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

func TestClearEndsWhatIsLeft(t *testing.T) {
	for _, role := range []string{"serve", "stubborn", "closed", "launcher:launcher:closed"} {
		t.Run(role, func(t *testing.T) {
			eachContainment(t, func(t *testing.T, h *Host) {
				s := otherSupervisor(t, h, h.options.RuntimeDir, role, "foo", "bar", "baz")
				left := s.pids(t, 3)
				s.kill()
				another := newHost(t, t.TempDir(), h.cgroup == "")
				elsewhere := otherSupervisor(t, h, another.options.RuntimeDir, role, "foo")
				strange := elsewhere.pids(t, 1)
				elsewhere.kill()

				found := takeOver(t, h, "foo", "bar", "never-run")
				for _, pid := range left {
					cleared := slices.ContainsFunc(found, func(l Leftover) bool { return l.PID == pid })
					if lives(pid) == cleared {
						t.Errorf("process %d was cleared: %t, lives: %t", pid, cleared, lives(pid))
					}
				}
				if alive := slices.DeleteFunc(left, func(pid int) bool { return !lives(pid) }); len(alive) != 1 {
					t.Errorf("%s live of three services, one of which was not to be cleared", describe(alive))
				}
				if !lives(strange[0]) {
					t.Error("a service of another runtime directory was killed")
				}
				takeOver(t, another, "foo")
				takeOver(t, h, "baz")
				if again := takeOver(t, h, "qux"); len(again) > 0 {
					t.Errorf("nothing was left, but %v was found", again)
				}
			})
		})
	}
}

// Whoever merely reads a lock file is no part of the service.
func TestClearSparesReadersOfTheLockFile(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		s := otherSupervisor(t, h, h.options.RuntimeDir, "serve", "foo")
		left := s.pids(t, 1)
		s.kill()
		file, err := os.Open(h.path(incarnationDir, "foo"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		reader := exec.Command("/bin/sleep", "1000")
		reader.ExtraFiles = []*os.File{file}
		if err := reader.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reader.Process.Kill(); _ = reader.Wait() }()
		takeOver(t, h, "foo")
		if lives(left[0]) || !lives(reader.Process.Pid) {
			t.Errorf("the daemon lives: %t, a reader lives: %t", lives(left[0]), lives(reader.Process.Pid))
		}
	})
}

func TestOneSupervisorAService(t *testing.T) {
	h := newHost(t, t.TempDir(), true)
	s := otherSupervisor(t, h, h.options.RuntimeDir, "serve", "foo")
	s.pids(t, 1)
	err := h.Claim("foo")
	want := fmt.Sprintf("service foo is already supervised (by process %d, exe): end that one first", s.Process.Pid)
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := h.Clear(t.Context(), "foo", nil, nil); err == nil {
		t.Error("a service of another supervisor was cleared")
	}
	if _, err := tryStart(t, h, "foo", "serve"); err == nil {
		t.Error("a service of another supervisor was started")
	}
	s.kill()
	if found := takeOver(t, h, "foo"); len(found) != 1 {
		t.Errorf("found %v", found)
	}
	if err := h.Claim("foo"); err == nil {
		t.Error("a service was claimed twice")
	}
	h.Release("foo")
	if err := h.Claim("foo"); err != nil {
		t.Errorf("a service given up cannot be claimed: %v", err)
	}
}

func TestOwnServicesAreNotCleared(t *testing.T) {
	h := newHost(t, t.TempDir(), true)
	r := start(t, h, "foo", "serve")
	pid := r.pid()
	if _, err := h.Clear(t.Context(), "foo", nil, nil); err == nil || !lives(pid) {
		t.Errorf("Clear of a service that runs here: %v; its daemon lives: %t", err, lives(pid))
	}
}

// Another user has no privilege, and no cgroup to write but one that was given to him. The same promises hold, by the
// test binary run as that user.
func TestWithoutPrivilege(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("this test needs root to become another user; the others ran as one")
	}
	t.Run("no cgroup", func(t *testing.T) { runAsNobody(t, "") })
	t.Run("delegated cgroup", func(t *testing.T) {
		given := cgroupHost(t).cgroup + "/recipe.test-" + randomID()
		if err := os.Mkdir(given, 0o755); err != nil {
			t.Fatal(err)
		}
		// The leaves of supervisors that were killed are swept later, in life.
		t.Cleanup(func() { eventually(t, "nothing is left", func() bool { return leaf{given}.remove() == nil }) })
		for _, name := range []string{"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
			if err := os.Chown(filepath.Join(given, name), nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		runAsNobody(t, given)
	})
}

const nobody = 65534

func runAsNobody(t *testing.T, cgroup string) {
	dir, err := os.MkdirTemp("", "process")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := dir + "/process.test"
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.v", "-test.run=^(TestStoppedMeansEmpty|TestNeverTwo|TestClear.*|TestOneSupervisorAService|TestSpare.*)$")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir, "RECIPE_TEST_HOST=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if cgroup != "" {
		folder, err := os.Open(cgroup)
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(folder.Fd())
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\nPASS") {
		t.Errorf("%v\n%s", err, out)
	}
	if got := strings.Contains(string(out), "PASS: TestNeverTwo/cgroup"); got != (cgroup != "") {
		t.Errorf("with cgroups: %t\n%s", got, out)
	}
}
