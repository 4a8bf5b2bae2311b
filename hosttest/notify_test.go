package hosttest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// speaks is a package of a service that says of itself, after a second, that it is ready, and then that it is alive for as
// long as nobody makes /run/silent.
func speaks(t *testing.T) string {
	t.Helper()
	script := "sleep 1; systemd-notify --ready --status='serving 8 of 8'; while :; do [ -e /run/silent ] || systemd-notify WATCHDOG=1; sleep 0.2; done"
	p := &plan.Plan{
		Format: plan.Format, Name: "speaks",
		Accounts: []plan.Account{{Name: "speaks", Group: "speaks"}},
		Services: []plan.Service{{
			Name: "speaks", User: "speaks", Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(script)},
			Probes: []plan.Probe{
				{Notify: &plan.NotifyProbe{}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 60_000},
				{Notify: &plan.NotifyProbe{}, Every: 1000, Failures: 3, Successes: 1, StartWithin: 60_000},
			},
			Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs(),
		}},
		Package: &plan.Package{Name: "speaks", Version: "1", Release: 1, Maintainer: "Foo Team <foo@example.org>", Summary: "speaks", Style: "full", Runtime: "standalone"},
	}
	return built(t, p)
}

// TestDebThatSpeaks: systemd hears the daemon through the sh launcher and its change of account: a start is done once the
// daemon is ready, and one that falls silent is killed and started anew.
func TestDebThatSpeaks(t *testing.T) {
	t.Parallel()
	Need(t, Tools("debootstrap", "systemd-nspawn", "unshare", "nsenter"))
	deb := speaks(t)
	h := Boot(t)
	h.Copy(deb, "/root/1.deb")
	if out := h.Must("dpkg", "-i", "/root/1.deb"); strings.Contains(out, "not healthy") {
		t.Error(out)
	}
	show := func(property string) string {
		return h.Must("systemctl", "show", "--property="+property, "--value", "speaks")
	}
	if got := show("Type") + " " + show("ActiveState") + " " + show("StatusText"); got != "notify active serving 8 of 8" {
		t.Errorf("it is %s", got)
	}
	main := show("MainPID")
	h.Must("sleep", "4") // longer than it may be silent
	if now := show("MainPID"); now != main {
		t.Errorf("a daemon that says that it is alive was replaced: %s, before %s", now, main)
	}
	h.Must("touch", "/run/silent")
	h.Within(20*time.Second, func() error {
		if now := show("MainPID"); now == main || now == "0" {
			return fmt.Errorf("its main process is %s", now)
		}
		return nil
	})
	if log := h.Must("journalctl", "--quiet", "--no-pager", "--unit=speaks"); !strings.Contains(log, "Watchdog timeout") {
		t.Errorf("systemd says nothing of its watchdog:\n%s", log)
	}
}
