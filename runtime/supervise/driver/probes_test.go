package driver

import (
	"os"
	"path/filepath"
	"testing"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// TestStopWaitsForProbes: of a command that a probe asks by nothing is left either when a stop is answered.
func TestStopWaitsForProbes(t *testing.T) {
	held := filepath.Join(t.TempDir(), "held")
	s := serviceOf("a", "exec sleep 600")
	many := "exec 9>" + held + "; for i in $(seq 200); do sleep 600 & done; wait"
	s.Probes = []plan.Probe{{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(many)}},
		Every: 1000, Timeout: 600_000, Failures: 1, Successes: 1, StartWithin: 600_000}}
	r := begun(t, planOf(s))
	r.until("the probe asks", func() bool { return len(holders(held)) > 200 })
	if _, err := r.Stop(t.Context(), "a", control.Caller{User: "me"}); err != nil {
		t.Fatal(err)
	}
	if left := holders(held); len(left) > 0 {
		t.Errorf("the stop was answered, and %v are left", left)
	}
}

// holders are the processes that have a file open.
func holders(file string) (pids []string) {
	open, _ := filepath.Glob("/proc/[0-9]*/fd/9")
	for _, fd := range open {
		if to, _ := os.Readlink(fd); to == file {
			pids = append(pids, fd)
		}
	}
	return pids
}
