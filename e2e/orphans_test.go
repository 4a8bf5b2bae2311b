package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// orphaning leaves orphans to PID 1: by a double fork, and, every twentieth, of sessions of their own. A crasher beside them
// tells whether somebody else took a death of a service's.
const orphaning = `
service(name = "steady", command = ["/bin/sleep", "1000"])
service(name = "crasher", command = ["/bin/sh", "-c", "exit 7"], restart = restart(delay = "50ms", cap = "200ms"))
service(name = "left", command = ["/bin/sh", "-c", "trap 'exit 0' TERM; for i in $(seq ORPHANS); do ( : & ); [ $((i % 20)) -gt 0 ] || setsid -f true; done; echo all; while :; do sleep 1000 & wait; done"])
`

// 10,000 orphans that PID 1 inherits are all reaped, not many are dead at any time, and none of the services' own deaths is
// taken; TERM ends everything of the PID namespace. It takes about 10 s of one processor.
func TestPIDOneReapsTenThousandOrphans(t *testing.T) {
	t.Parallel()
	rootOnly(t)
	needs(t, "unshare")
	orphans := 10_000
	if testing.Short() {
		orphans = 500
	}
	h := newHome(t)
	path := h.write("orphans.star", strings.ReplaceAll(orphaning, "ORPHANS", strconv.Itoa(orphans)))
	s := h.start(h.command("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", program, "run", path))
	up := func(st control.Status) bool { return st.IsUp() }
	steady := h.becomes("runs", "orphans", "steady", up)
	s.first = onlyChild(t, s.cmd.Process.Pid)
	if inner := innerPID(t, s.first); inner != 1 {
		t.Fatalf("the supervisor is process %d of its namespace, want 1", inner)
	}
	before := s.figures()
	most, longest := 0, time.Duration(0)
	few := time.Now() // when there were last no more than a few
	done := func() bool {
		text, err := os.ReadFile(h.dir + "/log/left.log")
		return err == nil && strings.Contains(string(text), "all\n")
	}
	h.until("all orphans were made", func() bool {
		dead := s.figures().zombies
		most = max(most, dead)
		if dead <= 50 {
			few = time.Now()
		}
		longest = max(longest, time.Since(few))
		return done()
	}, s.out.String)
	now := s.flat(before)
	t.Logf("%d orphans; at most %d dead at once, more than 50 for %s; then %+v, before %+v", orphans, most, longest, now, before)
	if most > max(orphans/5, 400) {
		t.Errorf("%d dead were there at once", most)
	}
	if st, _ := h.status("orphans", "steady"); st.PID != steady.PID || st.Restarts != 0 {
		t.Errorf("the steady service was touched: %+v", st)
	}
	if st, _ := h.status("orphans", "left"); st.Restarts != 0 {
		t.Errorf("what leaves orphans was touched: %+v", st)
	}
	why, deaths := h.must("why", "crasher"), 0
	for line := range strings.Lines(why) {
		if strings.Contains(line, "restart: ") {
			deaths++
			if !strings.Contains(line, "ended: exit 7; in ") {
				t.Errorf("a death of the crasher was told otherwise: %s", line)
			}
		}
	}
	if deaths < 10 {
		t.Errorf("why tells of %d deaths only:\n%s", deaths, why)
	}
	began := time.Now()
	must(t, syscall.Kill(s.first, syscall.SIGTERM))
	<-s.ended
	t.Logf("TERM ended everything in %s", time.Since(began))
	h.empty()
}

// rootOnly skips for anyone else, except where the host was made for these tests.
func rootOnly(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("RECIPE_TEST_HOST") == "1" {
		t.Fatal("this needs root, and RECIPE_TEST_HOST=1 says that all tests are to run")
	}
	t.Skip("this needs root")
}

func onlyChild(t *testing.T, pid int) int {
	t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(pid)).Output()
	must(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(string(out)))
	must(t, err)
	return child
}

// innerPID is what a process is called in the innermost of its PID namespaces.
func innerPID(t *testing.T, pid int) (inner int) {
	t.Helper()
	_, line, _ := strings.Cut(read(t, fmt.Sprintf("/proc/%d/status", pid)), "\nNSpid:")
	line, _, _ = strings.Cut(line, "\n")
	fields := strings.Fields(line)
	fmt.Sscan(fields[len(fields)-1], &inner)
	return inner
}
