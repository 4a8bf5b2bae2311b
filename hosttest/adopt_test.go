package hosttest

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// kept is a package of two daemons that recipe supervises: one that writes and one that is silent.
func kept(t *testing.T) string {
	t.Helper()
	daemon := func(name, script string) plan.Service {
		return plan.Service{
			Name: name, Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(script)},
			Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs(),
		}
	}
	p := &plan.Plan{
		Format: plan.Format, Name: "kept",
		Services: []plan.Service{daemon("writes", "n=0; while :; do echo $((n=n+1)); sleep 0.02; done"), daemon("silent", "exec sleep 1000000")},
		Package:  &plan.Package{Name: "kept", Version: "1", Release: 1, Maintainer: "Foo Team <foo@example.org>", Summary: "is kept", Style: "full", Runtime: plan.RuntimeRecipe},
	}
	return built(t, p)
}

// supervisedUnit is the unit of a package that recipe supervises.
type supervisedUnit struct{ *Host }

func (u supervisedUnit) show(property string) string {
	return u.Must("systemctl", "show", "--property="+property, "--value", "kept")
}

// daemons are the pids of both, once the unit is active with both up.
func (u supervisedUnit) daemons(limit time.Duration) (pids [2]int) {
	u.t.Helper()
	u.Within(limit, func() error {
		if state, status := u.show("ActiveState"), u.show("StatusText"); state != "active" || status != "2 of 2 up" {
			log, _ := u.Try("journalctl", "--quiet", "--no-pager", "--lines=40", "--identifier=recipe-kept")
			return fmt.Errorf("the unit is %s: %s\n%s", state, status, log)
		}
		out, err := u.Try("recipe", "status", "--json")
		var said struct{ Services []control.Status }
		if err != nil || json.Unmarshal([]byte(out), &said) != nil || len(said.Services) != 2 {
			return fmt.Errorf("recipe status: %v: %s", err, out)
		}
		for i, s := range said.Services {
			pids[i] = s.PID
		}
		return nil
	})
	return pids
}

// numbers are what the writing daemon has written so far, in order, and how many of them are missing: what a supervisor has
// read and not written goes with it.
func (u supervisedUnit) numbers() (last, missing int) {
	u.t.Helper()
	text, err := os.ReadFile(u.Path("/var/log/recipe/writes.log"))
	if err != nil {
		u.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var n int
		if _, err := fmt.Sscanf(line, "%d\n", &n); err != nil || n <= last {
			u.t.Fatalf("behind %d the log has %q", last, line)
		}
		last, missing = n, missing+n-last-1
	}
	return last, missing
}

// count is how many processes run the scripts of the daemons.
func (u supervisedUnit) count() string {
	return u.Must("sh", "-c", `exec 2>/dev/null; for p in /proc/[0-9]*; do tr '\0' ' ' <$p/cmdline | grep -e 'n=0; while' -e '^sleep 1000000' | grep -v grep; done | wc -l`)
}

// TestDebIsKeptOverAKillOfItsSupervisor follows systemd over the deaths of a supervisor: its daemons go on, whoever killed it, and
// are gone when the unit is stopped.
func TestDebIsKeptOverAKillOfItsSupervisor(t *testing.T) {
	t.Parallel()
	Need(t, Tools("debootstrap", "systemd-nspawn", "unshare", "nsenter"))
	deb, program := kept(t), itself(t)
	h := Boot(t)
	u := supervisedUnit{h}
	h.Copy(program, "/root/recipe.deb")
	h.Copy(deb, "/root/kept.deb")
	h.Must("dpkg", "-i", "/root/recipe.deb", "/root/kept.deb")
	before := u.daemons(10 * time.Second)
	if got := u.show("Type") + " " + u.show("SubState"); got != "notify running" {
		t.Errorf("the unit is %s", got)
	}

	const kills = 10
	for n := 1; n <= kills; n++ {
		main := u.show("MainPID")
		numbers, _ := u.numbers()
		h.Must("sh", "-c", "kill -KILL "+main)
		took := h.Within(10*time.Second, func() error {
			if now := u.show("MainPID"); now == main || now == "0" {
				return fmt.Errorf("its main process is %s", now)
			}
			return nil
		})
		if now := u.daemons(10 * time.Second); now != before {
			t.Fatalf("after kill %d the daemons are %v, before %v:\n%s", n, now, before, h.Must("recipe", "why", "writes"))
		}
		h.Within(10*time.Second, func() error {
			if now, _ := u.numbers(); now <= numbers {
				return fmt.Errorf("the log ends with %d", now)
			}
			return nil
		})
		t.Logf("killed; another supervisor after %s", took.Round(10*time.Millisecond))
	}
	if got := u.show("NRestarts"); got != fmt.Sprint(kills) {
		t.Errorf("systemd counts %s restarts", got)
	}
	if why := h.Must("recipe", "why", "silent"); strings.Count(why, fmt.Sprintf("an earlier supervisor was killed: process %d goes on", before[0])) != kills {
		t.Errorf("why tells\n%s", why)
	}
	if n := u.count(); n != "2" {
		t.Errorf("%s daemons run", n)
	}

	main := u.show("MainPID")
	h.Must("systemctl", "reload", "kept")
	if now := u.daemons(10 * time.Second); now != before || u.show("MainPID") != main {
		t.Errorf("over a reload the daemons became %v, and the supervisor %s", now, u.show("MainPID"))
	}

	h.Must("mkdir", "-p", "/run/systemd/system/kept.service.d")
	h.Write("/run/systemd/system/kept.service.d/watchdog.conf", "[Service]\nWatchdogSec=2s\n")
	h.Must("systemctl", "daemon-reload")
	h.Must("sh", "-c", "kill -KILL "+main) // the next one is told of the watchdog
	h.Within(10*time.Second, func() error {
		if u.show("MainPID") == main {
			return fmt.Errorf("it lives")
		}
		return nil
	})
	u.daemons(10 * time.Second)
	main = u.show("MainPID")
	h.Must("sleep", "5")
	if now := u.show("MainPID"); now != main {
		t.Fatalf("a supervisor that answers was replaced: %s", h.Must("journalctl", "--no-pager", "--unit=kept"))
	}
	h.Must("sh", "-c", "kill -STOP "+main)
	took := h.Within(20*time.Second, func() error {
		if now := u.show("MainPID"); now == main || now == "0" {
			return fmt.Errorf("its main process is %s", now)
		}
		return nil
	})
	t.Logf("stopped; another supervisor after %s", took.Round(10*time.Millisecond))
	if now := u.daemons(10 * time.Second); now != before {
		t.Errorf("after its watchdog the daemons are %v, before %v:\n%s", now, before, h.Must("recipe", "why", "writes"))
	}
	if log := h.Must("journalctl", "--quiet", "--no-pager", "--unit=kept"); !strings.Contains(log, "Watchdog timeout") {
		t.Errorf("systemd says nothing of its watchdog:\n%s", log)
	}
	all, missing := u.numbers()
	t.Logf("of %d lines %d are missing", all, missing)
	if missing > kills+2 {
		t.Error("more than one a kill")
	}

	h.Must("systemctl", "restart", "kept")
	after := u.daemons(10 * time.Second)
	if after[0] == before[0] || after[1] == before[1] {
		t.Errorf("over a restart the daemons stay: %v, before %v", after, before)
	}
	if n := u.count(); n != "2" {
		t.Errorf("%s daemons run", n)
	}
	group := u.show("ControlGroup")
	h.Must("systemctl", "stop", "kept")
	if n := u.count(); n != "0" {
		t.Errorf("after a stop %s daemons run", n)
	}
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if out, err := h.Try("find", root+group); err == nil {
			t.Errorf("of a unit that was stopped there is left\n%s", out)
		}
	}
	h.Must("dpkg", "-P", "kept")
}
