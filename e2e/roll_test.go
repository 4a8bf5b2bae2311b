package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/control"
)

// An upgrade in the midst of a roll: the successor waits for whom its predecessor waited, and then goes on; where the roll had
// failed, the others go on as they are, until one of them is restarted.
func TestARollGoesOnOverUpgrades(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	rolled := func(version, b string) string {
		var text strings.Builder
		for _, name := range []string{"b", "a", "c"} {
			script := "exec sleep 1000 # " + version
			if name == "b" {
				script = b + " # " + version
			}
			fmt.Fprintf(&text, "service(name = %q, command = [\"/bin/sh\", \"-c\", %q], probes = [exec([\"/usr/bin/test\", \"-e\", %q], every = \"200ms\", timeout = \"150ms\", failures = 1000, start_within = \"10m\")], restart = restart(delay = \"1h\", cap = \"1h\"))\n",
				name, script, filepath.Join(h.dir, name+"-"+version))
		}
		return text.String()
	}
	pids := func() map[string]int {
		all := map[string]int{}
		for _, name := range []string{"a", "b", "c"} {
			s, _ := h.status("roll", name)
			all[name] = s.PID
		}
		return all
	}
	another := func(name string, before map[string]int) {
		t.Helper()
		h.becomes("is another process", "roll", name, func(s control.Status) bool { return s.PID != 0 && s.PID != before[name] })
	}
	untouched := func(before map[string]int, names ...string) {
		t.Helper()
		now := pids()
		for _, name := range names {
			if now[name] != before[name] {
				t.Errorf("%s was restarted: %d is now %d", name, before[name], now[name])
			}
		}
	}
	ready := func(version string, names ...string) {
		for _, name := range names {
			h.write(name+"-"+version, "")
		}
	}
	ready("one", "a", "b", "c")
	h.run(h.write("roll.star", rolled("one", "exec sleep 1000")))
	for _, name := range []string{"a", "b", "c"} {
		h.becomesHealthy("roll", name)
	}
	before := pids()
	h.replace("roll.star", rolled("two", "exec sleep 1000"))
	another("b", before)
	now := pids()
	h.mustUpgrade()
	h.becomes("runs", "roll", "b", running)
	untouched(now, "a", "b", "c")
	ready("two", "b")
	another("a", before)
	untouched(now, "b", "c")
	ready("two", "a")
	another("c", before)
	ready("two", "c")
	h.becomesHealthy("roll", "c")
	untouched(now, "b")

	before = pids()
	h.replace("roll.star", rolled("three", "exit 3"))
	failed := func() bool { return strings.Contains(h.must("why", "a"), "b did not become ready with it") }
	h.until("the roll stops", failed, func() string { return h.must("why", "a") })
	h.mustUpgrade()
	h.becomes("waits", "roll", "b", func(s control.Status) bool { return s.State == control.Waiting })
	untouched(before, "a", "c")
	h.must("restart", "a")
	another("a", before)
	untouched(before, "c")
	ready("three", "a")
	another("c", before)
}
