package hosttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/interp"
	"recipe/runtime/expr"
	"recipe/runtime/pack"
	"recipe/runtime/plan"
	"recipe/runtime/stage"
)

// tour builds the tour's package in a copy of its folder, with edits of its recipe and configuration.
func tour(t *testing.T, edits ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../recipes/foo")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"foo.star", "foo.conf"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.NewReplacer(edits...).Replace(string(text))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The daemon's source is a part of this module.
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module tour\n\ngo 1.24\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, problems := interp.Evaluate(filepath.Join(dir, "foo.star"), interp.Options{})
	if p == nil {
		t.Fatal(problems)
	}
	var said bytes.Buffer
	if err := stage.Build(context.Background(), p, dir, &said); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	path, err := pack.BuildFile(t.TempDir(), pack.Options{Plan: p, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// foo is the tour's service on a host.
type foo struct {
	*Host
	t *testing.T
}

func (f foo) pid() string { return f.Must("systemctl", "show", "--property=MainPID", "--value", "foo") }

func (f foo) state() string {
	return f.Must("systemctl", "show", "--property=ActiveState", "--value", "foo")
}

func (f foo) get(path string) (string, error) {
	return f.Try("curl", "-fsS", "-m", "2", "http://127.0.0.1:8080"+path)
}

// healthy judges as the recipe does, by which two failures in a row count, and one answer that a busy host is late with
// does not.
func (f foo) healthy() error {
	var last error
	for range 2 {
		out, err := f.Try("/usr/lib/foo/check-foo", "once")
		if err == nil {
			return nil
		}
		last = errors.New(out)
	}
	return last
}

// replaced waits for a healthy process that is not the one of before.
func (f foo) replaced(before string, limit time.Duration) {
	f.t.Helper()
	took := f.Within(limit, func() error {
		if pid := f.pid(); pid == before || pid == "0" {
			return fmt.Errorf("its pid is %s, before it was %s", pid, before)
		}
		return f.healthy()
	})
	f.t.Logf("replaced and healthy after %s", took.Round(10*time.Millisecond))
	f.watched()
}

// watched waits until the checks have seen this process answer: from then on their failures count.
func (f foo) watched() {
	f.t.Helper()
	for _, probe := range []string{"http /healthz", "tcp"} {
		f.journal(fmt.Sprintf("%s: pid %s answers", probe, f.pid()))
	}
}

func (f foo) install(path string) {
	f.t.Helper()
	f.Copy(path, "/root/package.deb")
	begin := time.Now()
	out := f.Must("dpkg", "--force-confdef", "--force-confold", "-i", "/root/package.deb")
	f.t.Logf("%s in %s", filepath.Base(path), time.Since(begin).Round(10*time.Millisecond))
	if strings.Contains(out, "not healthy") {
		f.t.Error(out)
	}
}

// clean wants dpkg to find the package's files as it installed them, but for the lines given.
func (f foo) clean(but ...string) {
	f.t.Helper()
	out, _ := f.Try("dpkg", "--verify", "foo")
	if out != strings.Join(but, "\n") {
		f.t.Errorf("dpkg --verify:\n%s", out)
	}
}

func (f foo) journal(wanted string) {
	f.t.Helper()
	f.Within(10*time.Second, func() error {
		if out := f.Must("journalctl", "--quiet", "--no-pager", "--unit=foo.service"); !strings.Contains(out, wanted) {
			return fmt.Errorf("journalctl -u foo does not say %q:\n%s", wanted, out)
		}
		return nil
	})
}

// The probes of the tour's recipe: every 1 s, timeout 1 s, 2 failures. The rest is what a start takes.
const hung = (1*2+1)*time.Second + 4*time.Second

// TestDebOnHost holds what the package promises, in the order in which an admin would meet it.
func TestDebOnHost(t *testing.T) {
	t.Parallel()
	Need(t, Tools("debootstrap", "systemd-nspawn", "unshare", "nsenter", "go"))
	first := tour(t)
	second := tour(t, "1.4.2", "1.4.3", "greeting", "# new\ngreeting")
	f := foo{Boot(t), t}
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := f.Try("journalctl", "--quiet", "--no-pager", "--output=short-precise", "--unit=foo*")
			t.Log(out)
		}
	})

	f.install(first)
	if err := f.healthy(); err != nil {
		t.Errorf("after the installation: %v", err)
	}
	if got := f.Must("systemctl", "is-enabled", "foo"); got != "enabled" {
		t.Errorf("after the installation it is %s", got)
	}
	f.clean()
	if owner := f.Must("stat", "-c", "%U:%G", "/proc/"+f.pid()); owner != "foo:foo" {
		t.Errorf("it runs as %s", owner)
	}

	before := f.pid()
	f.Must("sh", "-c", "kill -KILL "+before)
	f.replaced(before, 5*time.Second)

	before = f.pid()
	f.Must("sh", "-c", "kill -STOP "+before)
	f.replaced(before, hung)
	f.journal("foo is hung")
	before = f.pid()
	f.Must("curl", "-fsS", "-X", "POST", "http://127.0.0.1:8080/do/hang")
	f.replaced(before, hung)

	f.keepsEdits(second)
	f.recovers()
	f.obeysAdmin(second)
	f.leavesNothing(second)
}

// keepsEdits upgrades over an edited conffile, of which the new version has another text.
func (f foo) keepsEdits(second string) {
	const conf = "/etc/foo/foo.conf"
	text := f.Must("cat", conf) + "\n# mine\n"
	f.Write(conf, text)
	before := f.pid()
	f.install(second)
	f.replaced(before, 5*time.Second)
	if stats, err := f.get("/stats"); err != nil || !strings.Contains(stats, "1.4.3") {
		f.t.Errorf("after the upgrade /stats says %q, %v", stats, err)
	}
	if got := f.Must("cat", conf) + "\n"; got != text {
		f.t.Errorf("the upgrade left %s as:\n%s", conf, got)
	}
	f.clean("??5?????? c " + conf)
}

// recovers makes the environment insane and mends it; nobody touches the service.
func (f foo) recovers() {
	f.Write("/etc/foo/flags", "port=99999\n")
	f.Must("systemctl", "restart", "foo")
	f.journal(`run-foo: cannot start foo: /etc/foo/flags:1: flag "port"`)
	f.Write("/etc/foo/flags", "log-level=debug\n")
	f.Within(15*time.Second, f.healthy)
	if level, err := f.get("/level"); level != "debug" {
		f.t.Errorf("the log level is %q, %v", level, err)
	}
}

// obeysAdmin stops, disables and holds back, each time through an upgrade.
func (f foo) obeysAdmin(deb string) {
	f.Must("systemctl", "stop", "foo")
	f.install(deb)
	if got := f.state(); got != "inactive" {
		f.t.Errorf("an upgrade made a stopped service %s", got)
	}
	f.Must("systemctl", "disable", "foo")
	f.install(deb)
	if got, _ := f.Try("systemctl", "is-enabled", "foo"); got != "disabled" || f.state() != "inactive" {
		f.t.Errorf("an upgrade made a disabled service %s, %s", got, f.state())
	}
	f.Must("systemctl", "enable", "foo")
	f.Write("/etc/foo/stopped", "by the test\n")
	f.Must("systemctl", "start", "foo")
	if got := f.state(); got != "inactive" {
		f.t.Errorf("a service that is held by its stopped file is %s", got)
	}
	f.Must("rm", "/etc/foo/stopped")
	f.Must("systemctl", "start", "foo")
	f.Within(10*time.Second, f.healthy)
}

// leavesNothing removes, installs again, and purges.
func (f foo) leavesNothing(deb string) {
	f.Must("dpkg", "-r", "foo")
	if out, err := f.Try("sh", "-c", "for p in /proc/[0-9]*; do readlink $p/exe; done | grep foo"); err == nil {
		f.t.Errorf("after the removal these run: %s", out)
	}
	f.install(deb)
	if err := f.healthy(); err != nil {
		f.t.Errorf("installed again after a removal: %v", err)
	}
	f.Must("dpkg", "-P", "foo")
	found := f.Must("sh", "-c", "find / /run /tmp -xdev -name '*foo*' ! -path '/proc/*'; getent passwd foo; getent group foo; dpkg -l foo 2>/dev/null || :")
	if found != "" {
		f.t.Errorf("the purge left:\n%s", found)
	}
	if failed := f.Must("systemctl", "--failed", "--no-legend", "--plain"); failed != "" {
		f.t.Errorf("failed units: %s", failed)
	}
}

// pair is a package of services that sleep, in a version.
func pair(t *testing.T, version string, services ...plan.Service) string {
	t.Helper()
	p := &plan.Plan{
		Format: plan.Format, Name: "pair", Services: services,
		Package: &plan.Package{Name: "pair", Version: version, Release: 1, Maintainer: "Foo Team <foo@example.org>", Summary: "sleeps", Style: "full", Runtime: "standalone"},
	}
	return built(t, p)
}

func built(t *testing.T, p *plan.Plan) string {
	t.Helper()
	if problems := p.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	path, err := pack.BuildFile(t.TempDir(), pack.Options{Plan: p, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func sleeper(name string, probes ...plan.Probe) plan.Service {
	return plan.Service{Name: name, Command: []expr.Expr{expr.TextOf("/usr/bin/sleep"), expr.TextOf("infinity")}, Probes: probes,
		Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs()}
}

// TestDebWithTroubles installs where scripts may start nothing, upgrades to a version that is not healthy and lacks a
// service, and finds every transaction done all the same, and said what is wrong.
func TestDebWithTroubles(t *testing.T) {
	t.Parallel()
	Need(t, Tools("debootstrap", "systemd-nspawn", "unshare", "nsenter"))
	first := pair(t, "1", sleeper("left"), sleeper("right"))
	second := pair(t, "2", sleeper("left", plan.Probe{TCP: &plan.TCPProbe{Port: expr.IntOf(9)}, Every: 1000, Timeout: 1000, Failures: 3, Successes: 1, StartWithin: 3_600_000}))
	h := Boot(t)
	h.Copy(first, "/root/1.deb")
	h.Copy(second, "/root/2.deb")
	active := func(service, want string) {
		t.Helper()
		if got, _ := h.Try("systemctl", "is-active", service); got != want {
			t.Errorf("%s is %s, not %s", service, got, want)
		}
	}

	h.Write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
	h.Must("chmod", "0755", "/usr/sbin/policy-rc.d")
	h.Must("dpkg", "-i", "/root/1.deb")
	active("left", "inactive")
	h.Must("rm", "/usr/sbin/policy-rc.d")
	h.Must("systemctl", "start", "left", "right")

	out := h.Must("dpkg", "-i", "/root/2.deb")
	for _, want := range []string{"pair: left is not healthy yet: tcp: connect to 127.0.0.1:9", "journalctl -u left.service"} {
		if !strings.Contains(out, want) {
			t.Errorf("dpkg does not say %q:\n%s", want, out)
		}
	}
	active("left", "active")
	active("right", "inactive")
	if _, err := os.Lstat(h.Path("/etc/systemd/system/multi-user.target.wants/right.service")); err == nil {
		t.Error("a service that is no more is still enabled")
	}

	// Whoever masks a service means it.
	h.Must("systemctl", "mask", "--now", "left")
	h.Must("dpkg", "-i", "/root/2.deb")
	if got, _ := h.Try("systemctl", "is-enabled", "left"); got != "masked" {
		t.Errorf("a masked service is %s after an upgrade", got)
	}
	h.Must("dpkg", "-P", "pair")
	hooksAndStyles(t, h)
	supervised(t, h)
}

// TestDebWithoutInit installs, upgrades and removes in a root where no systemd runs: nothing fails, nothing is started.
func TestDebWithoutInit(t *testing.T) {
	t.Parallel()
	Need(t, Tools("debootstrap", "unshare", "go"))
	deb := tour(t)
	script := `set -e
mount --bind "$1" mnt
chroot . sh -ec '
	dpkg -i /mnt/foo_*.deb
	dpkg -i /mnt/foo_*.deb
	readlink /etc/systemd/system/multi-user.target.wants/foo.service
	dpkg -r foo
	dpkg -i /mnt/foo_*.deb
	dpkg -P foo
	find / -xdev -name "*foo*" ! -path "/proc/*" ! -path "/mnt/*" >/left
	getent passwd foo >>/left || :
' </dev/null
if [ -s left ]; then
	cat left >&2
	exit 1
fi
`
	cmd := inOverlay(t, "", "sh", "-c", script, "script", filepath.Dir(deb))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDebOfTheTourIsClean asks Debian's own judge.
func TestDebOfTheTourIsClean(t *testing.T) {
	t.Parallel()
	Need(t, func() error {
		_, err := exec.LookPath("lintian")
		return err
	})
	out, err := exec.Command("lintian", "--allow-root", "--fail-on=error", tour(t)).CombinedOutput()
	t.Logf("lintian:\n%s", out)
	if err != nil {
		t.Error(err)
	}
}
