package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
)

// idleSpan is longer than any period that a supervisor could look after something by, but for those of Go's runtime, which
// looks around once a minute.
const idleSpan = 6 * time.Second

// TestIdleWakesNobody: where nothing happens and nothing is due, no process of the supervisor's runs: neither for the
// services, one of which writes all the time, nor for the files that are watched. It takes 12 s, asleep.
func TestIdleWakesNobody(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	var recipe strings.Builder
	for i := range 20 {
		fmt.Fprintf(&recipe, "service(name = \"sleep%d\", command = [\"/bin/sleep\", \"1000\"])\n", i)
	}
	elsewhere := filepath.Join(h.dir, "elsewhere")
	if err := os.Mkdir(elsewhere, 0o755); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&recipe, `service(name = "writer", workdir = %q, command = ["/bin/sh", "-c", "while sleep 0.05; do echo line >>noise; done"])`+"\n", elsewhere)
	s := h.run(h.write("idle.star", recipe.String()))
	h.becomes("runs", "idle", "sleep19", running)
	h.becomes("runs", "idle", "writer", running)
	var before, after map[string]string
	for range 5 { // Go's runtime, or a mount of another test's, may fall into one span, but not into all
		before = h.work()
		time.Sleep(idleSpan)
		if after = h.work(); len(after) > 0 && maps.Equal(before, after) {
			return
		}
	}
	t.Errorf("supervisor %d is never idle: in the last %s its processes went from\n%v to\n%v", s.cmd.Process.Pid, idleSpan, before, after)
}

// work is, of every thread of the program's processes in this home, the time of the processor in ticks and the switches.
func (h *home) work() map[string]string {
	done := map[string]string{}
	for _, pid := range mentioning(h.dir) {
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe != program {
			continue
		}
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		for _, thread := range threads {
			stat, _ := os.ReadFile(thread + "/stat")
			_, times, _ := strings.Cut(string(stat), ") ")
			status, _ := os.ReadFile(thread + "/status")
			_, switches, _ := strings.Cut(string(status), "voluntary_ctxt_switches:")
			if fields := strings.Fields(times); len(fields) > 13 {
				done[thread] = strings.Join(fields[11:13], "+") + " ticks, " + strings.Join(strings.Fields(switches), " ")
			}
		}
	}
	return done
}

func running(s control.Status) bool { return s.State == control.Running }
