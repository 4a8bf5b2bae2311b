package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/control"
)

// The supervisor is killed in the middle of a run, again and again: its successor ends what is left of that run before it
// begins another, and remembers that it was cut short.
func TestATaskIsNeverTwoAcrossAKillOfTheSupervisor(t *testing.T) {
	t.Parallel()
	eachUser(t, func(t *testing.T, h *home) {
		alone := filepath.Join(h.dir, "alone")
		text := fmt.Sprintf("task(\"long\", [\"/bin/sh\", \"-c\", \"mkdir %s || { echo two of us; exit 9; }; sleep 1000 & wait\"], restart = restart(delay = \"10ms\", cap = \"10ms\"))\n", alone)
		// A run that was killed cannot take its mark away: the next one's preparation does.
		text = strings.Replace(text, ", restart", fmt.Sprintf(", prepare = [run([\"/bin/rm\", \"-rf\", %q])], restart", alone), 1)
		file := h.write("long.star", text)
		const rounds = 5
		last := 0
		for range rounds {
			s := h.run(file)
			st := h.becomes("runs anew", "long", "long", func(st control.Status) bool { return st.State == control.Running && st.PID != last })
			last = st.PID
			h.until("it has its mark", func() bool { return len(named(mentioning(h.dir), "sh")) == 1 && len(glob(alone)) == 1 }, s.out.String)
			s.kill()
		}
		s := h.run(file)
		st := h.becomes("runs anew", "long", "long", func(st control.Status) bool { return st.State == control.Running && st.PID != last })
		if n := len(named(mentioning(h.dir), "sh")); n != 1 {
			t.Errorf("%d runs are under way", n)
		}
		cut := 0
		for _, r := range st.Task.Runs {
			if r.Ended != nil && strings.Contains(r.Result, "its supervisor ended") {
				cut++
			}
		}
		if cut != rounds {
			t.Errorf("%d runs are remembered as cut short, want %d: %+v", cut, rounds, st.Task.Runs)
		}
		s.interrupt()
		h.empty()
	})
}

// A periodic task by the command line: run now, its result and its next time told, and stopped.
func TestATaskByTheCommandLine(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.write("sweep.star", `task("sweep", ["/bin/sh", "-c", "echo swept; test -e `+h.dir+`/flag"], every = "1d", jitter = "1h")`+"\n")
	h.run(file)
	h.becomes("waits", "sweep", "sweep", func(st control.Status) bool { return st.State == control.Waiting })
	out, _, code := h.recipe("start", "sweep")
	if code != 1 || !strings.Contains(out, "the last run failed") || !strings.Contains(out, "exit 1") || !strings.Contains(out, "next run in") {
		t.Errorf("exit code %d, %s", code, out)
	}
	if _, _, code := h.recipe("status", "sweep"); code != 1 {
		t.Errorf("status of a task that failed: exit code %d", code)
	}
	h.write("flag", "")
	if out := h.must("start", "sweep"); !strings.Contains(out, "the last run succeeded") {
		t.Error(out)
	}
	h.must("status", "sweep")
	if out := h.must("why", "sweep"); !strings.Contains(out, "failed after") || !strings.Contains(out, "    swept") || !strings.Contains(out, "succeeded after") || !strings.Contains(out, "next run: ") {
		t.Error(out)
	}
	if out := h.must("logs", "sweep"); strings.Count(out, "swept") != 2 {
		t.Error(out)
	}
	h.must("stop", "sweep", "--why", "enough")
	if out, _, code := h.recipe("status", "sweep"); code != 1 || !strings.Contains(out, "enough") {
		t.Errorf("exit code %d, %s", code, out)
	}
}

func glob(pattern string) []string {
	list, _ := filepath.Glob(pattern)
	return list
}
