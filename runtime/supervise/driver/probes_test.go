package driver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

// TestFrozenServiceIsNotKilled: whoever freezes a service's cgroup does not have it killed for its silence, until it is
// thawed; what was not judged is counted, and said with its figure.
func TestFrozenServiceIsNotKilled(t *testing.T) {
	s := serviceOf("a", "exec sleep 1000")
	probe := silent(t)
	probe.Every, probe.Timeout, probe.Failures, probe.StartWithin = 200, 200, 3, 0
	s.Probes = []plan.Probe{probe}
	s.Restart.Delay, s.Restart.Cap = 600_000, 600_000
	r := prepare(t, t.TempDir(), planOf(s))
	folder, ok := strings.CutPrefix(r.host.Containment(), "cgroup ")
	if !ok {
		t.Skip("there is no cgroup2 to write")
	}
	r.begin()
	var leaf string
	r.until("a runs", func() bool {
		if r.status("a").State != control.Running {
			return false
		}
		found, _ := filepath.Glob(filepath.Join(folder, "recipe-a-*", "cgroup.procs"))
		for _, procs := range found {
			if pids, _ := os.ReadFile(procs); strings.TrimSpace(string(pids)) == strconv.Itoa(r.status("a").PID) {
				leaf = filepath.Dir(procs)
			}
		}
		return leaf != ""
	})
	freeze := func(text string) {
		if err := os.WriteFile(filepath.Join(leaf, "cgroup.freeze"), []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
	freeze("1")
	pid := r.status("a").PID
	r.until("ten probes said nothing", func() bool { return r.status("a").Stalls >= 10 })
	if r.status("a").PID != pid || r.count("a: kill") > 0 {
		t.Errorf("it was killed while it was frozen: %+v", r.status("a"))
	}
	if r.count("the service's cgroup was frozen for ") == 0 {
		t.Error("nothing says why its silence was no hang")
	}
	freeze("0")
	r.until("its silence counts again", func() bool { return r.count("a: kill") > 0 })
}

// TestSlowProbeDelaysNoOther has one probe of many hang: the others keep their times.
func TestSlowProbeDelaysNoOther(t *testing.T) {
	var asked atomic.Int64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			conn.Write([]byte("hello"))
			conn.Close()
		}
	}()
	hanging := silent(t)
	hanging.Timeout, hanging.Every = 60_000, 60_000
	quick := silent(t)
	quick.TCP = &plan.TCPProbe{Host: "127.0.0.1", Port: expr.IntOf(int64(listener.Addr().(*net.TCPAddr).Port)), Expect: "hello"}
	quick.Every, quick.Timeout = 4000, 3900
	const services, probes = 10, 100
	var all []plan.Service
	for i := range services {
		s := serviceOf(fmt.Sprintf("s%d", i), "exec sleep 1000")
		s.Probes = slices.Repeat([]plan.Probe{quick}, probes)
		if i == 0 {
			s.Probes = append(s.Probes, hanging)
		}
		all = append(all, s)
	}
	r := begun(t, planOf(all...))
	r.until("all others are healthy", func() bool {
		healthy := 0
		for _, s := range r.Status(t.Context()) {
			if s.State == control.Healthy {
				healthy++
			}
		}
		return healthy == services-1
	})
	before, began := asked.Load(), time.Now()
	time.Sleep(4 * time.Second) // what is measured
	rate := float64(asked.Load()-before) / time.Since(began).Seconds()
	if rate < services*probes/4*0.5 || rate > services*probes/4*1.5 {
		t.Errorf("%d probes, of which each asks once in 4 s, asked %.0f times a second beside one that hangs", services*probes, rate)
	}
}
