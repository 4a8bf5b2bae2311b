package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// speaking is a recipe of a daemon that says of itself, by systemd's own client, that it is ready and alive.
func speaking(h *home) string {
	return h.write("speaks.star", `
service(name = "speaks", command = ["/bin/sh", "-c", "systemd-notify --ready --status='serving 8 of 8'; while systemd-notify WATCHDOG=1; do sleep 0.1; done"],
        probes = [notify(), notify(role = "liveness", every = "3s")])
`)
}

// TestDaemonThatSpeaksIsHeard, also over a stall of the supervisor that is longer than its signs of life may be apart, and
// is found when it falls silent.
func TestDaemonThatSpeaksIsHeard(t *testing.T) {
	needs(t, "systemd-notify")
	eachUser(t, func(t *testing.T, h *home) {
		s := h.run(speaking(h))
		first := h.becomes("is heard", "speaks", "speaks", func(s control.Status) bool { return s.State == control.Healthy && s.Says == "serving 8 of 8" })
		if out := h.must("status", "speaks"); !strings.Contains(out, "(it says: serving 8 of 8)") {
			t.Errorf("status shows\n%s", out)
		}
		s.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(5 * time.Second) // the stall itself
		s.cmd.Process.Signal(syscall.SIGCONT)
		time.Sleep(4 * time.Second) // in which a kill would come
		if now, _ := h.status("speaks", "speaks"); now.PID != first.PID || now.State != control.Healthy {
			t.Errorf("the daemon was replaced: %+v\n%s", now, h.must("why", "speaks"))
		}
		syscall.Kill(first.PID, syscall.SIGSTOP)
		h.becomes("is replaced", "speaks", "speaks", func(s control.Status) bool { return s.PID != first.PID && s.State == control.Healthy })
		if why := h.must("why", "speaks"); !strings.Contains(why, "WATCHDOG=1 did not come within 3s") || !strings.Contains(why, `it last said "serving 8 of 8"`) {
			t.Errorf("recipe why tells\n%s", why)
		}
	})
}

// TestFrozenSupervisorKillsNobody freezes the cgroup that supervisor and daemons are in, and thaws it.
func TestFrozenSupervisorKillsNobody(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	group := ownGroup(t)
	if group == "" {
		t.Skip("there is no cgroup2 to write")
	}
	args, _ := ports(t)
	words := append([]string{"-c", `echo 0 >"$0/cgroup.procs" && exec "$@"`, group, program, "run"}, args...)
	h.start(h.command("/bin/sh", append(words, "--dev", h.tour(`every = "1s", timeout = "900ms"`, `every = "300ms", timeout = "290ms"`))...))
	first := h.becomesHealthy("foo", "foo")
	for range 3 {
		for _, text := range []string{"1", "0"} {
			if err := os.WriteFile(filepath.Join(group, "cgroup.freeze"), []byte(text), 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // the stall itself, and in which a kill would come
		}
	}
	h.becomesHealthy("foo", "foo")
	if now, _ := h.status("foo", "foo"); now.PID != first.PID || now.Restarts != first.Restarts {
		t.Errorf("the daemon was replaced: %+v, before: %+v\n%s", now, first, h.must("why", "foo"))
	}
}
