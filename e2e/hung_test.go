package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// Services that need what lies on a file system whose server is silent hang, each in another place, and are said to; all others
// are started, killed, restarted and stopped within seconds. It takes about 35 s, most of it asleep.
func TestAHungFileSystemHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	for name, taken := range map[string]bool{"killable": false, "stuck in the kernel": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aHungFileSystem(t, taken)
		})
	}
}

func aHungFileSystem(t *testing.T, taken bool) {
	h := newHome(t)
	at := filepath.Join(h.dir, "far")
	release := hung(t, at, taken)
	recipe := fmt.Sprintf(`
quick = restart(delay = "50ms", cap = "500ms")
service(name = "program", command = [%[1]q + "/daemon"], restart = quick)
service(name = "folder", command = ["/bin/sleep", "1000"], workdir = %[1]q + "/folder", restart = quick)
service(name = "step", command = ["/bin/sleep", "1000"], prepare = [directory(%[1]q + "/step")], restart = quick)
service(name = "probe", command = ["/bin/sleep", "1000"], probes = [exec([%[1]q + "/check"], role = "readiness", every = "200ms", timeout = "200ms")], restart = quick)
`, at)
	const others = 10
	for i := range others {
		recipe += fmt.Sprintf("service(name = \"other%d\", command = [\"/bin/sleep\", \"1000\"], restart = quick, env = {\"IN\": %q})\n", i, h.dir)
	}
	began := time.Now()
	s := h.run(h.write("hung.star", recipe))
	pids := map[string]int{}
	for i := range others {
		name := fmt.Sprint("other", i)
		pids[name] = h.becomes("runs", "hung", name, running).PID
	}
	started := time.Since(began)
	var slowest time.Duration
	for round := range 3 {
		for name, pid := range pids {
			began := time.Now()
			switch round {
			case 0:
				syscall.Kill(pid, syscall.SIGKILL)
				h.becomes("is back", "hung", name, func(st control.Status) bool { return running(st) && st.PID != pid })
			case 1:
				h.must("restart", name)
			case 2:
				h.must("stop", name)
				h.must("start", name)
			}
			slowest = max(slowest, time.Since(began))
		}
	}
	t.Logf("%d others were there within %s; the slowest command took %s", others, started, slowest)
	if bound := 10 * time.Second; started > bound || slowest > bound {
		t.Errorf("others were held up for %s and %s", started, slowest)
	}
	for _, name := range []string{"program", "folder", "step"} {
		h.until("why says that "+name+" hangs", func() bool {
			return strings.Contains(h.must("why", name), "starting: not done after 5s: process")
		}, func() string { return h.must("why", name) })
		if st, _ := h.status("hung", name); st.State != control.Starting {
			t.Errorf("%s is %s, want starting", name, st.State)
		}
	}
	if asking := len(s.daemons()) - others - 4; asking > 2 {
		t.Errorf("%d processes ask for a probe that hangs", asking)
	}
	// What is stuck is not taken for stopped, and nothing is started in its place; what can be killed is.
	out, errs, code := h.recipe("stop", "--timeout", "7s", "program")
	if taken && (code == 0 || !strings.Contains(h.must("why", "program"), "do not die")) || !taken && code != 0 {
		t.Errorf("stop of what hangs: exit code %d, %s%s", code, out, errs)
	}
	if taken {
		endsTwiceAsked(s)
		s = h.run(filepath.Join(h.dir, "hung.star"))
		h.until("that it waits for what is left", func() bool { return strings.Contains(s.out.String(), "an earlier supervisor left process") }, s.out.String)
	}
	release()
	h.becomes("is stopped", "hung", "program", func(st control.Status) bool { return st.State == control.Stopped && st.Stop != nil })
	h.recipe("start", "program") // which fails, as long as it is not there
	for _, name := range []string{"program", "folder"} {
		h.becomes("is tried on", "hung", name, func(st control.Status) bool { return st.State == control.Waiting && st.Restarts > 1 })
	}
	place(t, filepath.Join(at, "daemon"), 0o755, "#!/bin/sh\nexec sleep 1000\n")
	place(t, filepath.Join(at, "check"), 0o755, "#!/bin/sh\nexit 0\n")
	must(t, os.Mkdir(filepath.Join(at, "folder"), 0o755))
	began = time.Now()
	for _, name := range []string{"program", "folder", "step", "probe"} {
		h.becomes("is up", "hung", name, func(st control.Status) bool { return st.IsUp() && (name != "probe" || st.State == control.Healthy) })
	}
	t.Logf("all were up %s after the file system was mended", time.Since(began))
	s.interrupt()
	h.empty()
}

// endsTwiceAsked ends a supervisor that has processes which nothing can end: it says so, and is gone within a bound.
func endsTwiceAsked(s *supervisor) {
	s.t.Helper()
	began := time.Now()
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.until("it ends", func() bool { return strings.Contains(s.out.String(), "step: kill: processes") }, s.out.String)
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(deadline):
		s.t.Fatal("the supervisor does not end")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(s.out.String(), "cannot end folder, program, step: ") {
		s.t.Errorf("exit code %d", code)
	}
	s.t.Logf("the supervisor ended in %s", time.Since(began))
}
