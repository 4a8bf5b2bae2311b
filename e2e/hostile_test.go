package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"recipe/runtime/control"
)

// hostile is a daemon that makes it hard to end. All of its processes have MARK among their arguments, which nothing else has.
type hostile struct {
	script  string
	members int
	moves   bool   // they come and go: now and then there is one less
	root    bool   // for root alone
	leaf    bool   // where a cgroup holds its tree together alone
	why     string // what recipe why tells of its end
}

const left = " more of its tree killed"

var hostiles = map[string]hostile{
	"leaves its session":     {script: "setsid sleep MARK & exec sleep MARK", members: 2, why: "1" + left},
	"forks twice":            {script: "(setsid sh -c '(sleep MARK & ); exit' & ); exec sleep MARK", members: 2, why: "1" + left},
	"has 300 children":       {script: "trap '' TERM; i=0; while [ $i -lt 300 ]; do sleep MARK & i=$((i+1)); done; exec sleep MARK", members: 301, why: "300" + left},
	"hops from fork to fork": {script: `export HOP='sleep 0.2; setsid sh -c "$HOP" MARK & exit'; for i in 1 2 3 4 5 6 7 8 9 10; do setsid sh -c "$HOP" MARK & done; exec sleep MARK`, members: 11, moves: true, why: left},
	"keeps its output open":  {script: "(sleep MARK & ); exec sleep MARK", members: 2, why: "1" + left},
	"closes its output":      {script: "exec >&- 2>&-; exec sleep MARK", members: 1, why: "killed by SIGTERM after the stop signal"},
	"stops itself":           {script: "kill -STOP $$; # MARK", members: 1, why: "after signal TERM"},
	"ignores signals":        {script: "trap '' TERM INT HUP QUIT; sleep MARK; exit", members: 2, why: "after signal TERM"},
	"changes its user":       {script: "setpriv --reuid 65534 --regid 65534 --clear-groups sleep MARK & exec sleep MARK", members: 2, root: true, why: "1" + left},
	"closes descriptors":     {script: `exec perl -MPOSIX -e 'unless (fork) { setsid; POSIX::close($_) for 0..255; exec "sleep", "MARK" } exec "sleep", "MARK"'`, members: 2, why: "1" + left},
	"sheds all traces":       {script: `exec perl -MPOSIX -e 'unless (fork) { setsid; POSIX::close($_) for 0..255; %ENV = (); exec "/bin/sleep", "MARK" if fork; exit } exec "sleep", "MARK"'`, members: 2, leaf: true, why: "1" + left},
}

// Daemons that make it hard to end them are ended whole: by a restart, by the death of their supervisor, and by a stop, which
// is answered only then. There is never another beside what is left of the last. It takes about four seconds.
func TestHostileDaemonsAreEndedWhole(t *testing.T) {
	t.Parallel()
	eachUser(t, hostileDaemonsAreEndedWhole)
}

func hostileDaemonsAreEndedWhole(t *testing.T, h *home) {
	run := &hostileRun{home: h, client: control.NewClient(control.SocketPath(filepath.Join(h.dir, "run"), "hostile")), marks: map[string]string{}}
	var text strings.Builder
	for what, d := range hostiles {
		if d.root && (os.Geteuid() != 0 || h.uid >= 0) || d.leaf && h.uid >= 0 {
			continue
		}
		name := strings.ReplaceAll(what, " ", "-")
		run.marks[name] = strconv.Itoa(1e8 + rand.IntN(9e8))
		fmt.Fprintf(&text, "service(name = %q, command = [\"/bin/sh\", \"-c\", %q], restart = restart(delay = \"0s\"), stop = stop(grace = \"300ms\"), env = {\"PLACE\": %q})\n",
			name, strings.ReplaceAll(d.script, "MARK", run.marks[name]), h.dir)
	}
	file := h.write("hostile.star", text.String())
	s := h.run("--root", h.dir, file)
	before := map[string][]string{}
	for name := range run.marks {
		h.becomes("runs", "hostile", name, func(st control.Status) bool { return st.IsUp() })
		before[name] = run.settled(name, nil)
	}
	held := descriptors(s.cmd.Process.Pid)
	run.each(func(name string) {
		if _, err := run.client.Restart(t.Context(), name, ""); err != nil {
			t.Errorf("restart: %v", err)
		}
		run.set(before, name, run.settled(name, before[name]))
	})
	h.until("its descriptors are those from before", func() bool { return descriptors(s.cmd.Process.Pid) <= held+4 }, func() string {
		return fmt.Sprintf("%d, before %d", descriptors(s.cmd.Process.Pid), held)
	})
	s.kill()
	s = h.run("--root", h.dir, file)
	run.each(func(name string) {
		h.becomes("runs", "hostile", name, func(st control.Status) bool { return st.IsUp() })
		run.settled(name, before[name])
		st, err := run.client.Stop(t.Context(), name, "")
		if err != nil || st.State != control.Stopped {
			t.Errorf("stop %s: %v, %+v", name, err, st)
		}
		if left := marked(run.marks[name]); len(left) > 0 {
			t.Errorf("%s: its stop is answered while %d processes are left, as %s", name, len(left), left[0])
		}
		decisions, err := run.client.Why(t.Context(), name)
		want := hostiles[strings.ReplaceAll(name, "-", " ")].why
		if err != nil || !slices.ContainsFunc(decisions, func(d control.Decision) bool { return strings.Contains(d.Why, want) }) {
			t.Errorf("why %s does not tell %q: %v, %+v", name, want, err, decisions)
		}
	})
	s.interrupt()
	h.empty()
}

// hostileRun is a run of them; marks are by service.
type hostileRun struct {
	*home
	client *control.Client
	marks  map[string]string
	mu     sync.Mutex
}

func (r *hostileRun) each(do func(name string)) {
	var all sync.WaitGroup
	for name := range r.marks {
		all.Go(func() { do(name) })
	}
	all.Wait()
}

func (r *hostileRun) set(list map[string][]string, name string, to []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list[name] = to
}

// settled waits until the service's processes are all there, and returns them: none of them is one of before.
func (r *hostileRun) settled(name string, before []string) (now []string) {
	d := hostiles[strings.ReplaceAll(name, "-", " ")]
	r.until(name+" is complete", func() bool {
		time.Sleep(20 * time.Millisecond) // the look costs more than that of others
		now = marked(r.marks[name])
		return len(now) == d.members || d.moves && len(now) > 2
	}, func() string { return fmt.Sprintf("%d processes of %d", len(now), d.members) })
	for _, process := range now {
		if slices.Contains(before, process) {
			r.t.Errorf("%s: process %s is of the last incarnation", name, process)
		}
	}
	return now
}

// marked are the processes that have the text among their arguments, each with when it was started, since a number is given
// again soon where processes hop.
func marked(text string) (found []string) {
	for _, pid := range pids() {
		if line := strings.Join(arguments(pid), " "); strings.Contains(line, text) {
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			_, after, _ := strings.Cut(string(stat), ") ")
			if fields := strings.Fields(after); len(fields) > 19 {
				found = append(found, fmt.Sprintf("%d, started at %s, %q", pid, fields[19], line))
			}
		}
	}
	return found
}

// A daemon's orphans that had sessions of their own, a thousand and as fast as it can, are reaped while they come: the dead
// do not fill the table of processes. It takes about three seconds.
func TestDeadOrphansDoNotPileUp(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := h.run("--root", h.dir, h.write("orphans.star", fmt.Sprintf(`
service(name = "orphans", command = ["/bin/sh", "-c", "i=0; while [ $i -lt 1000 ]; do (setsid true & ); i=$((i+1)); done; : >%s/done; exec sleep 1000"], env = {"PLACE": %[1]q})
`, h.dir)))
	most := 0
	h.until("all were made", func() bool {
		most = max(most, len(childrenOf(s.cmd.Process.Pid)))
		_, err := os.Stat(filepath.Join(h.dir, "done"))
		return err == nil
	}, s.out.String)
	if most < 20 || most > 500 {
		t.Errorf("the supervisor had %d children at most, want some and not nearly as many as there were", most)
	}
	s.interrupt()
	h.empty()
}
