package hosttest

import (
	"strings"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// hooked is a package of one service that notes in /root/log which hooks were run, and as whom.
func hooked(t *testing.T, version, style string, change func(*plan.Plan)) string {
	t.Helper()
	p := &plan.Plan{
		Format: plan.Format, Name: "hooked", Services: []plan.Service{sleeper("hooked")}, Accounts: []plan.Account{{Name: "hooked", Group: "hooked"}},
		Package: &plan.Package{Name: "hooked", Version: version, Release: 1, Maintainer: "Foo Team <foo@example.org>", Summary: "notes", Style: style, Runtime: "standalone"},
	}
	for _, phase := range plan.HookPhases() {
		p.Hooks = append(p.Hooks, plan.Hook{Phase: phase, Steps: []plan.Step{shell("echo "+version+" "+string(phase)+" $(id -un) >>/root/log", 60_000)}})
	}
	change(p)
	return built(t, p)
}

func shell(text string, timeout plan.Duration) plan.Step {
	return plan.Step{Run: &plan.Run{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(text)}, Timeout: timeout}}
}

// hooksAndStyles follows a package through its life: staged, released, upgraded with a hook that hangs, upgraded to bare
// files, removed.
func hooksAndStyles(t *testing.T, h *Host) {
	t.Helper()
	step := func(want string, command ...string) string {
		t.Helper()
		out := h.Must(command...)
		log := h.Must("sh", "-c", "cat /root/log 2>/dev/null || :")
		h.Must("rm", "-f", "/root/log")
		if got := strings.ReplaceAll(log, "\n", ", "); got != want {
			t.Errorf("%s ran %q, not %q:\n%s", strings.Join(command, " "), got, want, out)
		}
		return out
	}
	active := func(want string) {
		t.Helper()
		if got, _ := h.Try("systemctl", "is-active", "hooked"); got != want {
			t.Errorf("the service is %s, not %s", got, want)
		}
	}
	h.Copy(hooked(t, "1", plan.StyleStaging, func(p *plan.Plan) {}), "/root/1.deb")
	h.Copy(hooked(t, "2", plan.StyleFull, func(p *plan.Plan) {
		p.Hook(plan.AfterUpgrade).Steps = append(p.Hook(plan.AfterUpgrade).Steps, shell("trap '' TERM; sleep 98765 & sleep 98765", 500))
	}), "/root/2.deb")
	h.Copy(hooked(t, "3", plan.StyleBare, func(p *plan.Plan) {
		p.Hook(plan.AfterUpgrade).User = "hooked"
		p.Hook(plan.AfterUpgrade).Steps = []plan.Step{shell("id -un", 60_000)}
		p.Hook(plan.BeforeRemove).Strict = true
		p.Hook(plan.BeforeRemove).Steps = append(p.Hook(plan.BeforeRemove).Steps, shell("test -e /root/mended", 60_000))
	}), "/root/3.deb")

	step("1 before_install root, 1 after_install root", "dpkg", "-i", "/root/1.deb")
	active("inactive")
	if got := h.Must("cat", "/etc/hooked/stopped"); !strings.Contains(got, "staged by the package") {
		t.Errorf("it is held by %q", got)
	}
	h.Must("rm", "/etc/hooked/stopped")
	h.Must("systemctl", "start", "hooked")
	active("active")
	step("", "dpkg-reconfigure", "hooked")

	begin := time.Now()
	out := step("2 before_upgrade root, 2 after_upgrade root", "dpkg", "-i", "/root/2.deb")
	if took := time.Since(begin); took > 30*time.Second || !strings.Contains(out, "hooked: hook after_upgrade: /bin/sh did not end within 500ms") {
		t.Errorf("after %s:\n%s", took, out)
	}
	if left, err := h.Try("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep 'sleep 9876[5]'"); err == nil {
		t.Errorf("the hook left %s", left)
	}
	active("active")

	if out := step("3 before_upgrade root", "dpkg", "-i", "/root/3.deb"); !strings.Contains(out, "\nhooked") {
		t.Errorf("the hook is not run as the account:\n%s", out)
	}
	active("inactive")
	if out, err := h.Try("ls", "/usr/lib/systemd/system/hooked.service", "/usr/sbin/run-hooked"); err == nil {
		t.Errorf("beside the bare files are %s", out)
	}
	if out, err := h.Try("dpkg", "-r", "hooked"); err == nil || !strings.Contains(out, "is strict") {
		t.Errorf("a strict hook fails, and the removal goes on: %v\n%s", err, out)
	}
	h.Must("touch", "/root/mended")
	h.Must("rm", "-f", "/root/log")
	step("3 before_remove root, 3 after_remove root", "dpkg", "-P", "hooked")
	if found := h.Must("sh", "-c", "find / /run -xdev -name '*hooked*' ! -path '/proc/*'; getent passwd hooked || :"); found != "" {
		t.Errorf("the purge left:\n%s", found)
	}
}
