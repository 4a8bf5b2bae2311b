package hosttest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// chores is a package of tasks, in a version: one once, one each second, one that hangs with a child.
func chores(t *testing.T, version string) string {
	t.Helper()
	task := func(name, script string) plan.Task {
		return plan.Task{Name: name, Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(script)}, Timeout: 60_000, Logs: plan.DefaultLogs()}
	}
	seed := task("seed", "echo "+version+" >>/root/seeded; test -e /root/flag")
	seed.Restart = &plan.Restart{Delay: 200, Cap: 1000}
	beat := task("beat", "mkdir /run/beat || echo overlap >>/root/overlaps; echo x >>/root/beats; sleep 1.5; rmdir /run/beat")
	beat.Every = 1000
	stuck := task("stuck", "trap '' TERM; setsid sleep 1111 & sleep 2222; sleep 3333")
	stuck.Every, stuck.Timeout = 86_400_000, 1000
	p := &plan.Plan{
		Format: plan.Format, Name: "chores", Tasks: []plan.Task{seed, beat, stuck},
		Package: &plan.Package{Name: "chores", Version: version, Release: 1, Maintainer: "Foo Team <foo@example.org>", Summary: "does chores", Style: "full", Runtime: "standalone"},
	}
	return built(t, p)
}

// TestDebWithTasks holds what a package promises of its tasks: they are run, tried again, never beside themselves, ended in
// time with their whole tree, and gone with the package.
func TestDebWithTasks(t *testing.T) {
	t.Parallel()
	Need(t, Tools("debootstrap", "systemd-nspawn", "unshare", "nsenter"))
	first, second := chores(t, "1"), chores(t, "2")
	h := Boot(t)
	h.Copy(first, "/root/1.deb")
	h.Copy(second, "/root/2.deb")
	lines := func(file, least string) func() error {
		return func() error {
			out, err := h.Try("sh", "-c", fmt.Sprintf("test $(wc -l <%s) -ge %s", file, least))
			if err != nil {
				return fmt.Errorf("%s has not %s lines: %s", file, least, out)
			}
			return nil
		}
	}
	is := func(unit, want string) {
		t.Helper()
		if got, _ := h.Try("systemctl", "is-active", unit); got != want {
			t.Errorf("%s is %s, not %s", unit, got, want)
		}
	}

	out := h.Must("dpkg", "-i", "/root/1.deb")
	if !strings.Contains(out, "seed is not healthy yet") {
		t.Errorf("dpkg does not say that the seed is tried:\n%s", out)
	}
	h.Within(10*time.Second, lines("/root/seeded", "3"))
	h.Write("/root/flag", "")
	h.Within(10*time.Second, func() error {
		if got, _ := h.Try("systemctl", "is-active", "seed"); got != "active" {
			return fmt.Errorf("the seed is %s", got)
		}
		return nil
	})
	h.Within(15*time.Second, lines("/root/beats", "3"))
	if out, err := h.Try("cat", "/root/overlaps"); err == nil {
		t.Errorf("runs overlapped: %s", out)
	}
	for _, timer := range []string{"beat.timer", "stuck.timer"} {
		is(timer, "active")
		if got := h.Must("systemctl", "is-enabled", timer); got != "enabled" {
			t.Errorf("%s is %s", timer, got)
		}
	}

	if out, err := h.Try("systemctl", "start", "stuck.service"); err == nil {
		t.Errorf("a run that hangs succeeded: %s", out)
	}
	if got := h.Must("systemctl", "show", "--property=Result", "--value", "stuck.service"); got != "timeout" {
		t.Errorf("a run that hangs ended by %s", got)
	}
	if out, err := h.Try("pgrep", "-f", "sleep (1111|2222|3333)"); err == nil {
		t.Errorf("of a run that hung these are left: %s", out)
	}

	h.Must("systemctl", "stop", "stuck.timer")
	h.Must("dpkg", "-i", "/root/2.deb")
	if got := h.Must("tail", "-n1", "/root/seeded"); got != "2" {
		t.Errorf("after an upgrade the seed is of version %s", got)
	}
	is("seed", "active")
	is("beat.timer", "active")
	is("stuck.timer", "inactive")

	h.Write("/etc/chores/beat.stopped", "by the test\n")
	h.Within(5*time.Second, func() error {
		if got, _ := h.Try("systemctl", "is-active", "beat.service"); got != "inactive" {
			return fmt.Errorf("the last beat is %s", got)
		}
		return nil
	})
	before := h.Must("cat", "/root/beats")
	h.Must("systemctl", "start", "beat.service")
	if after := h.Must("cat", "/root/beats"); after != before {
		t.Error("a task that is held by its stopped file was run")
	}

	h.Must("dpkg", "-P", "chores")
	left := h.Must("sh", "-c", "find / /run -xdev \\( -name '*chores*' -o -name '*beat.*' -o -name '*stuck.*' -o -name '*seed.*' \\) ! -path '/proc/*' ! -path '/sys/*' ! -path '/usr/lib/*' ! -path '/usr/share/*'")
	if left != "" {
		t.Errorf("the purge left:\n%s", left)
	}
	if failed := h.Must("systemctl", "--failed", "--no-legend", "--plain"); strings.Contains(failed, "beat") || strings.Contains(failed, "seed") {
		t.Errorf("failed units: %s", failed)
	}
}
