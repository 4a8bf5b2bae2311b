package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/control"
)

// starving is a recipe of daemons that die over and over, each with a lock of its own, so that a second one beside it would
// end with 99, and of such as are asked.
func starving(h *home, dying, asked int) string {
	var text strings.Builder
	for i := range dying {
		lock := filepath.Join(h.dir, fmt.Sprint("lock", i))
		fmt.Fprintf(&text, "service(name = \"dies%d\", command = [\"/usr/bin/flock\", \"-n\", \"-E\", \"99\", %q, \"/bin/sleep\", \"0.05\"], restart = restart(delay = \"50ms\", cap = \"400ms\"))\n", i, lock)
	}
	for i := range asked {
		fmt.Fprintf(&text, "service(name = \"asked%d\", command = [%q, \"answers\"], env = {\"SOCKET\": %q}, probes = [tcp(unix = %[3]q, send = \"?\", expect = \"!\", every = \"500ms\", timeout = \"400ms\", failures = 2)])\n",
			i, os.Args[0], filepath.Join(h.dir, fmt.Sprint("socket", i)))
	}
	return h.write("starving.star", text.String())
}

// answer is a daemon that answers at once whoever says anything.
func answer() {
	socket := os.Getenv("SOCKET")
	os.Remove(socket)
	l, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() {
			defer conn.Close()
			if n, _ := conn.Read(make([]byte, 1)); n > 0 {
				conn.Write([]byte("!"))
			}
		}()
	}
}

// One processor, which loops of a higher priority take for up to 1.2 s, is all that a supervisor and its services have. 1,000
// deaths later each service has died and come back its share, no delay was longer than the cap, no healthy daemon was killed,
// and never were there two of one. It takes about 25 s of one processor; RECIPE_TEST_LONG=1 has ten times the deaths.
func TestAStarvedSupervisorGivesUpNobody(t *testing.T) {
	t.Parallel()
	needs(t, "taskset")
	dying, asked, deaths := 50, 5, 1000
	switch {
	case testing.Short():
		dying, deaths = 10, 40
	case os.Getenv("RECIPE_TEST_LONG") == "1":
		deaths *= 10
	}
	const longest = 400 * time.Millisecond // the cap
	h := newHome(t)
	processor := strconv.Itoa(runtime.NumCPU() - 1)
	s := h.start(h.command("taskset", "-c", processor, "nice", "-n", "5", program, "run", starving(h, dying, asked)))
	pids := map[string]int{}
	for i := range asked {
		name := fmt.Sprint("asked", i)
		pids[name] = h.becomesHealthy("starving", name).PID
	}
	for i := range dying {
		h.becomes("died", "starving", fmt.Sprint("dies", i), func(st control.Status) bool { return st.Restarts > 0 })
	}
	before := s.figures()
	restarts := func() (all map[string]int, sum int) {
		all = map[string]int{}
		for _, st := range h.all("starving") {
			all[st.Service] = st.Restarts
			sum += st.Restarts
			if st.NextStart != nil && time.Until(*st.NextStart) > longest {
				t.Errorf("%s is to be started in %s, the cap is %s", st.Service, time.Until(*st.NextStart), longest)
			}
		}
		return all, sum
	}
	end := starve(h, processor)
	from, sum := restarts()
	began := time.Now()
	until := sum + deaths
	var now map[string]int
	for ; sum < until; now, sum = restarts() {
		if time.Since(began) > 10*time.Minute {
			t.Fatalf("%d deaths in 10 minutes, want %d", deaths-(until-sum), deaths)
		}
		time.Sleep(200 * time.Millisecond)
	}
	took, fewest := time.Since(began), deaths
	end()
	stalls := 0
	for name, n := range now {
		if pid, asked := pids[name]; !asked {
			fewest = min(fewest, n-from[name])
		} else if st, _ := h.status("starving", name); st.PID != pid || st.Restarts > 0 {
			t.Errorf("a healthy daemon was killed: %+v\n%s", st, h.must("why", name))
		} else {
			stalls += st.Stalls
		}
	}
	var worst time.Duration
	for _, delay := range h.delays("starving") {
		worst = max(worst, delay)
	}
	after := s.flat(before)
	t.Logf("%d deaths in %s, at least %d of each; the longest delay was %s; %d answers were inconclusive; then %+v, before %+v", deaths, took, fewest, worst, stalls, after, before)
	if least := deaths / dying / 4; fewest < least {
		t.Errorf("a service came back %d times, want %d at least", fewest, least)
	}
	if worst > longest || worst == 0 {
		t.Errorf("the longest delay was %s, the cap is %s", worst, longest)
	}
	if strings.Contains(read(t, filepath.Join(h.dir, "state/starving.journal")), "exit 99") {
		t.Error("two of a service ran")
	}
	s.interrupt()
	h.empty()
}

// starve has loops take a processor until they are ended: each of a session of its own, since the kernel shares a processor out
// by sessions where it groups them.
func starve(h *home, processor string) (end func()) {
	var all []*exec.Cmd
	for range 2 {
		loop := h.command("taskset", "-c", processor, os.Args[0], "loops")
		loop.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		must(h.t, loop.Start())
		all = append(all, loop)
	}
	end = sync.OnceFunc(func() {
		for _, loop := range all {
			loop.Process.Kill()
			loop.Wait()
		}
	})
	h.t.Cleanup(end)
	return end
}

// loop takes its processor for 0.1 to 1.2 s and leaves it to others for as long, again and again: before all others where a
// real-time priority may be had.
func loop() {
	runtime.LockOSThread()
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0)
	span := func() time.Duration { return 100*time.Millisecond + rand.N(1100*time.Millisecond) }
	for {
		for end := time.Now().Add(span()); time.Now().Before(end); {
		}
		time.Sleep(span())
	}
}

var delayed = regexp.MustCompile(`; in ([^,]+), after`)

// delays are those that the supervisor of that name decided on.
func (h *home) delays(name string) (all []time.Duration) {
	h.t.Helper()
	for line := range strings.Lines(read(h.t, filepath.Join(h.dir, "state", name+".journal"))) {
		var e control.Event
		if json.Unmarshal([]byte(line), &e) != nil {
			continue
		}
		if found := delayed.FindStringSubmatch(e.Why); found != nil {
			delay, err := time.ParseDuration(found[1])
			must(h.t, err)
			all = append(all, delay)
		}
	}
	return all
}
