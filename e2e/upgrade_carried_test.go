package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// A change that waits for a service which did not become ready goes on to wait over an upgrade, and goes on as it would have.
// What was counted is counted on.
func TestUpgradesKeepWhereAChangeStands(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	text := func(first, generation string) string {
		return fmt.Sprintf(`
restarts = restart(delay = "1h", cap = "1h")
service(name = "one", command = ["/bin/sh", "-c", "%s"], restart = restarts)
[service(name = name, command = ["/bin/sleep", "infinity"], env = {"GENERATION": "%s"}) for name in ["two", "three"]]
`, first, generation)
	}
	file := h.write("change.star", text("exec sleep infinity", "1"))
	address := "127.0.0.1:" + freePort(t)
	s := h.start(h.command(h.install(program), "run", file, "--http", address))
	up := func(s control.Status) bool { return s.IsUp() }
	for _, name := range []string{"one", "two", "three"} {
		h.becomes("runs", "change", name, up)
	}
	two, _ := h.status("change", "two")
	h.must("restart", "three")
	three, _ := h.status("change", "three")
	h.replace("change.star", text("exit 3", "2"))
	h.until("the change waits", func() bool { return strings.Contains(s.out.String(), "it did not become ready with the change") }, s.out.String)
	for range 2 {
		h.mustUpgrade()
	}
	const counted = `recipe_service_restarts_total{service="three",reason="operator"} 1`
	h.until("the restart is counted", func() bool { return strings.Contains(ask("http://"+address+"/metrics"), counted) }, func() string { return ask("http://" + address + "/metrics") })
	for _, before := range []control.Status{two, three} {
		if now, _ := h.status("change", before.Service); now.PID != before.PID {
			t.Errorf("%s was restarted with what fails", before.Service)
		}
	}
	h.must("restart", "two")
	h.becomes("has the change", "change", "three", func(s control.Status) bool { return s.IsUp() && s.PID != three.PID })
	for _, name := range []string{"two", "three"} {
		now, _ := h.status("change", name)
		if !strings.Contains(read(t, fmt.Sprintf("/proc/%d/environ", now.PID)), "GENERATION=2") {
			t.Errorf("%s runs without the change", name)
		}
	}
	s.interrupt()
	h.empty()
}

// A daemon that fell silent is found in its time, however often its supervisor is upgraded meanwhile.
func TestUpgradesGiveAHungDaemonNoTime(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	daemon := h.writeMode("bin/daemon", read(t, self(t)), 0o755)
	s := h.start(h.command(h.install(program), "run", h.write("tells.star", fmt.Sprintf(`
service(name = "tells", command = [%s, "tells"], probes = [notify(role = "readiness"), notify(role = "liveness", every = "4s", failures = 1)])
`, strconv.Quote(daemon)))))
	before := h.becomesHealthy("tells", "tells")
	syscall.Kill(before.PID, syscall.SIGSTOP)
	stopped, upgrades := time.Now(), 0
	for {
		now, _ := h.status("tells", "tells")
		if now.Restarts > 0 {
			break
		}
		if time.Since(stopped) > deadline {
			t.Fatalf("a hung daemon lives, after %d upgrades: %+v", upgrades, now)
		}
		h.mustUpgrade()
		upgrades++
	}
	if took := time.Since(stopped); took < 3*time.Second || upgrades < 3 {
		t.Errorf("it was killed after %s and %d upgrades", took, upgrades)
	}
	s.interrupt()
	h.empty()
}

// Who is attached is attached again, who looks at events misses none, and either is told once.
func TestUpgradesKeepWhoLooksOn(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := h.start(h.command(h.install(program), "run", h.write("shell.star", shell)))
	h.becomes("runs", "shell", "shell", func(s control.Status) bool { return s.IsUp() })
	var events output
	follow := h.command(program, "events", "shell", "--since", "1h")
	follow.Stdout, follow.Stderr = &events, &events
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	o := h.attach(100, 30, "shell")
	o.sees("attached to shell; ctrl-] detaches")
	o.types("echo before $((40 + 2))\r")
	o.sees("before 42")
	h.until("an event is seen", func() bool { return strings.Contains(events.String(), "shell: is running") }, events.String)

	h.mustUpgrade()
	o.sees("attached again")
	o.types("echo after $((40 + 3)), $(stty size)\r")
	o.sees("after 43, 30 100")
	o.types("\x1d")
	o.leaves(0)
	h.must("restart", "shell", "--why", "to be seen")
	h.until("what came afterwards is seen", func() bool { return strings.Contains(events.String(), "to be seen") }, events.String)
	follow.Process.Signal(syscall.SIGTERM)
	follow.Wait()
	for _, once := range []string{"shell: upgrade: asked for", "shell: upgrade: done", "became another program; waiting for the next, to go on behind event "} {
		if n := strings.Count(events.String(), once); n != 1 {
			t.Errorf("%q is said %d times: %s", once, n, events.String())
		}
	}
	if n := strings.Count(o.out.String(), "attached again"); n != 1 {
		t.Errorf("it is said %d times: %q", n, o.out.String())
	}
	s.interrupt()
	h.empty()
}
