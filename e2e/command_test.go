package e2e

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
)

const commanded = `
size = flag("size", type = "int", default = 1000, min = 1, help = "how long it sleeps")
level = flag("level", type = "enum", values = ["low", "high"], default = "low", help = "how loud", apply = signal("CONT"))
service(name = "sleeper", command = ["/bin/sleep", size], prepare = [template("/level", "{}\n", level)], restart = restart(delay = "0s"))
`

// The supervisor is killed at any instant of a command. The command is answered all the same, by the supervisor that took
// it or by the next one, what it asked for holds, and never do two daemons run. A command takes about 30 ms here.
func TestCommandsSurviveAKillAtAnyInstant(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	args := []string{"--root", h.dir, h.write("sleeper.star", commanded)}
	s := h.run(args...)
	up := func(st control.Status) bool { return st.IsUp() && st.Desired == control.Up }
	h.becomes("is up", "sleeper", "sleeper", up)
	verbs := []struct {
		line  []string
		holds func(control.Status) bool
	}{
		{[]string{"restart", "sleeper"}, up},
		{[]string{"quarantine", "sleeper", "--why", "a round"}, func(st control.Status) bool { return st.State == control.Quarantined && st.Quarantine.Why == "a round" }},
		{[]string{"release", "sleeper"}, up},
		{[]string{"stop", "sleeper"}, func(st control.Status) bool { return st.State == control.Stopped && st.Stop != nil }},
		{[]string{"start", "sleeper"}, up},
	}
	early := 0
	for i := range rounds {
		verb := verbs[i%len(verbs)]
		type answer struct {
			out, errs string
			code      int
		}
		answered := make(chan answer, 1)
		go func() {
			out, errs, code := h.recipe(verb.line...)
			answered <- answer{out, errs, code}
		}()
		time.Sleep(rand.N(40 * time.Millisecond))
		s.kill()
		s = h.run(args...)
		h.until("it answers", func() bool { _, ok := h.status("sleeper", "sleeper"); return ok }, s.out.String)
		a := <-answered
		if a.code != 0 && strings.Contains(a.errs, "no supervisor here") { // it was killed before it was asked
			early++
			a.out, a.errs, a.code = h.recipe(verb.line...)
		}
		if a.code != 0 {
			t.Errorf("round %d: recipe %q: exit code %d\n%s%s", i, verb.line, a.code, a.out, a.errs)
		}
		h.becomes("is as it was told", "sleeper", "sleeper", verb.holds)
		daemons := named(s.daemons(), "sleep")
		if st, _ := h.status("sleeper", "sleeper"); len(daemons) > 1 || st.Desired == control.Down && len(daemons) > 0 {
			t.Fatalf("round %d, after %q: the daemons are %v", i, verb.line, daemons)
		}
	}
	if early == rounds {
		t.Error("no command was asked before the kill: the test does not show what it should")
	}
	s.interrupt()
	h.empty()
}

// set tells what it did to the daemon, once that is so; and what it changed is there for the next.
func TestSetTellsWhatItDid(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("etc/sleeper/flags", "# by hand\nlevel=high\n")
	args := []string{"--root", h.dir, h.write("sleeper.star", commanded)}
	s := h.run(args...)
	first := h.becomes("is up", "sleeper", "sleeper", func(st control.Status) bool { return st.IsUp() })
	if out := h.must("set", "sleeper", "level=low"); !strings.Contains(out, "flag level: high -> low\nsleeper: was sent its signal: running, pid ") {
		t.Errorf("got %s", out)
	}
	if text := read(t, h.dir+"/level"); text != "low\n" {
		t.Errorf("the template holds %q", text)
	}
	if out := h.must("set", "sleeper", "size=2000"); !strings.Contains(out, "flag size: the default -> 2000\nsleeper: restarted: running, pid ") {
		t.Errorf("got %s", out)
	}
	now, _ := h.status("sleeper", "sleeper")
	if line := arguments(now.PID); now.PID == first.PID || len(line) != 2 || line[1] != "2000" {
		t.Errorf("process %d runs %q", now.PID, line)
	}
	if _, errs, code := h.recipe("set", "sleeper", "size=0"); code != 1 || !strings.Contains(errs, "out of range") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if text := read(t, h.dir+"/etc/sleeper/flags"); text != "# by hand\nlevel=low\nsize=2000\n" {
		t.Errorf("the file holds %q", text)
	}
	if out := h.must("why", "sleeper"); !strings.Contains(out, "set: flag size: the default -> 2000 in ") || !strings.Contains(out, "restart: flag size: 1000 -> 2000") {
		t.Errorf("got %s", out)
	}
	s.interrupt()
	h.empty()
}
