package hosttest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// ears is a package of a service that answers, at each of its sockets, with what it was told of them.
func ears(t *testing.T) string {
	t.Helper()
	script := `for my $fd (3, 4) { next if fork; open(my $l, "+<&=", $fd) or die; while (accept(my $c, $l)) { syswrite $c, "$fd $ENV{LISTEN_PID} $ENV{LISTEN_FDS} $ENV{LISTEN_FDNAMES}\n"; close $c } exit } wait`
	p := &plan.Plan{
		Format: plan.Format, Name: "ears",
		Accounts: []plan.Account{{Name: "ears", Group: "ears"}},
		Services: []plan.Service{{
			Name: "ears", User: "ears", Command: []expr.Expr{expr.TextOf("/usr/bin/perl"), expr.TextOf("-MSocket"), expr.TextOf("-e"), expr.TextOf(script)},
			Listen: []plan.Socket{
				{Name: "web", Type: plan.Stream, Port: expr.IntOf(80), Backlog: 4096},
				{Name: "admin", Type: plan.Stream, Path: expr.PathOf("/run/ears/admin.sock"), Mode: 0o660, Owner: "ears", Group: "ears", Backlog: 4096},
			},
			Probes:  []plan.Probe{{TCP: &plan.TCPProbe{Port: expr.IntOf(80), Expect: "web:admin"}, Every: 1000, Timeout: 1000, Failures: 3, Successes: 1, StartWithin: 10_000}},
			Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs(),
		}},
		Package: &plan.Package{Name: "ears", Version: "1", Release: 1, Maintainer: "Foo Team <foo@example.org>", Summary: "listens", Style: "full", Runtime: "standalone"},
	}
	return built(t, p)
}

// TestDebWithSockets: a restart under systemd refuses no connection, to a daemon that could not open its port itself; a
// stop of the socket closes, and nothing wakes what was stopped.
func TestDebWithSockets(t *testing.T) {
	t.Parallel()
	Need(t, Tools("debootstrap", "systemd-nspawn", "unshare", "nsenter"))
	deb := ears(t)
	h := Boot(t)
	h.Copy(deb, "/root/1.deb")
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := h.Try("journalctl", "--quiet", "--no-pager", "--output=short-precise", "--unit=ears*")
			t.Log(out)
		}
	})
	if out := h.Must("dpkg", "-i", "/root/1.deb"); strings.Contains(out, "not healthy") {
		t.Error(out)
	}
	ask := func() (string, error) {
		return h.Try("bash", "-c", "exec 9<>/dev/tcp/127.0.0.1/80 && read -t 5 -r x <&9 && echo $x")
	}
	main := h.Must("systemctl", "show", "--property=MainPID", "--value", "ears")
	if got, err := ask(); err != nil || got != fmt.Sprintf("3 %s 2 web:admin", main) {
		t.Errorf("%q, %v, main %s", got, err, main)
	}
	if got := h.Must("stat", "-c", "%U:%G %a", "/run/ears/admin.sock"); got != "ears:ears 660" {
		t.Errorf("the path is of %s", got)
	}

	h.Must("systemd-run", "--quiet", "--unit=asker", "bash", "-c", "while :; do { exec 9<>/dev/tcp/127.0.0.1/80; } 2>>/root/refused; echo x >>/root/asked; exec 9>&-; done")
	for range 10 {
		h.Must("systemctl", "restart", "ears")
	}
	h.Must("sh", "-c", "kill -KILL $(systemctl show --property=MainPID --value ears)")
	h.Within(10*time.Second, func() error {
		got, err := ask()
		if err != nil || !strings.HasSuffix(got, "web:admin") {
			return fmt.Errorf("%q, %v", got, err)
		}
		return nil
	})
	h.Must("systemctl", "stop", "asker")
	asked := h.Must("sh", "-c", "wc -l </root/asked")
	if out, err := h.Try("sh", "-c", "test -s /root/refused && sort /root/refused | uniq -c"); err == nil {
		t.Errorf("of %s connections %s were refused", asked, out)
	}
	t.Logf("%s connections over 11 restarts, none refused", asked)

	// Who stops the socket stops the service with it, and nothing wakes it.
	h.Must("systemctl", "stop", "ears.socket")
	if got, err := ask(); err == nil {
		t.Errorf("after a stop it answers %q", got)
	}
	if got, _ := h.Try("systemctl", "is-active", "ears.service", "ears.socket"); got != "inactive\ninactive" {
		t.Errorf("after a stop service and socket are %q", got)
	}
	if got, err := h.Try("sh", "-c", "RECIPE_PAUSE=0 /usr/sbin/run-ears"); err == nil || !strings.Contains(got, "it was not handed its listening sockets (web, admin)") {
		t.Errorf("without sockets the launcher says %q", got)
	}
	h.Must("systemctl", "start", "ears")
	h.Within(10*time.Second, func() error { _, err := ask(); return err })
	h.Must("systemctl", "stop", "ears.socket")
	h.Write("/etc/ears/stopped", "by the test\n")
	h.Try("systemctl", "start", "ears")
	if got, err := ask(); err == nil {
		t.Errorf("held by its stopped file it answers %q", got)
	}
	h.Must("rm", "/etc/ears/stopped")
	h.Must("systemctl", "start", "ears")
	h.Within(10*time.Second, func() error { _, err := ask(); return err })
	h.Must("dpkg", "-P", "ears")
	if got, err := ask(); err == nil {
		t.Errorf("after a purge it answers %q", got)
	}
}
