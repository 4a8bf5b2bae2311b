package e2e

import (
	"context"
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

// stopEdges has, for each state that a stop or a quarantine may meet, a service that is in it and stays there.
const stopEdges = `
size = flag("size", type = "int", default = 1000, min = 1, help = "how long it sleeps")
ROUNDS = 12

def edge(name, script = "exec sleep 1000", delay = "0s", grace = "300ms", env = {}, **more):
    for verb in ["stop", "quarantine"]:
        service(
            name = name + "-" + verb, command = ["/bin/sh", "-c", script],
            restart = restart(delay = delay, cap = "1h"), stop = stop(grace = grace), env = {"PLACE": "DIR"} | env, **more
        )

def edges():
    service(name = "never", command = ["/bin/sleep", "1000"], probes = [exec(["/bin/false"], every = "1s", timeout = "1s", failures = 1000)])
    service(name = "bystander", command = ["/bin/sleep", "1000"])
    edge("queued", after = ["never"])
    edge("preparing", prepare = [run(["/bin/sleep", "1000"], timeout = "20m")])
    edge("running")
    edge("probed", probes = [exec(["/bin/sleep", "PATIENCE"], every = "100ms", timeout = "20m")])
    edge("ending", "trap '' TERM; while :; do sleep 1000; done", grace = "3s")
    edge("waiting", "exit 3", delay = "1h")
    edge("dying", "exit 0")
    for i in range(ROUNDS):
        edge("starting%d" % i, prepare = [run(["/bin/sleep", "0.01"])])
        edge("killed%d" % i, "trap '' TERM; for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; while :; do sleep 1000; done", grace = "40ms")
        edge("replaced%d" % i)
    for i in range(3):
        edge("rolled%d" % i, env = {"SIZE": fmt("{}", size)}, probes = [exec(["/bin/sleep", "0.3"], every = "1s", timeout = "1s")])

edges()
`

// A stop and a quarantine hold whatever they meet: a service that is queued, prepared, executed, asked by a probe, ended,
// killed, waiting for its delay, dying again and again, rolled, or held for the supervisor's next program. Each is answered, nothing of the service is left then,
// and it stays so under the next supervisor, until a start or a release. It takes about fifteen seconds, most of them of grace.
func TestAStopHoldsInEveryState(t *testing.T) {
	t.Parallel()
	eachUser(t, aStopHoldsInEveryState)
}

func aStopHoldsInEveryState(t *testing.T, h *home) {
	e := &edgeRun{home: h, patience: strconv.Itoa(1000 + rand.IntN(1e9)), client: control.NewClient(control.SocketPath(filepath.Join(h.dir, "run"), "edges"))}
	file := h.write("edges.star", strings.NewReplacer("PATIENCE", e.patience, "DIR", h.dir).Replace(stopEdges))
	h.write("etc/edges/flags", "size=1000\n")
	args := []string{h.install(program), "run", "--root", h.dir, file}
	s := h.start(h.command(args[0], args[1:]...))
	up := func(st control.Status) bool { return st.IsUp() }
	for _, name := range []string{"bystander", "running-stop", "running-quarantine"} {
		h.becomes("runs", "edges", name, up)
	}

	// Those that stay where they are.
	states := map[string]func(control.Status) bool{
		"queued":    func(st control.Status) bool { return st.State == control.Waiting && st.NextStart == nil },
		"preparing": func(st control.Status) bool { return st.State == control.Starting },
		"running":   up,
		"probed":    func(control.Status) bool { return e.asked() },
		"waiting":   func(st control.Status) bool { return st.NextStart != nil },
		"dying":     func(st control.Status) bool { return st.Restarts > 3 },
	}
	for _, verb := range []string{"stop", "quarantine"} {
		for name, reached := range states {
			h.becomes("is in the midst of it", "edges", name+"-"+verb, reached)
			e.tell(name+"-"+verb, verb)
		}
	}
	// Those that another command has brought on their way.
	for _, verb := range []string{"stop", "quarantine"} {
		e.restart("ending-" + verb)
		h.becomes("is ending", "edges", "ending-"+verb, func(st control.Status) bool { return st.State == control.Stopping })
		e.tell("ending-"+verb, verb)
		for i := range 12 {
			e.restart(fmt.Sprintf("starting%d-%s", i, verb))
			e.restart(fmt.Sprintf("killed%d-%s", i, verb))
			e.all.Go(func() {
				time.Sleep(rand.N(60 * time.Millisecond)) // any instant of a restart
				e.tell(fmt.Sprintf("starting%d-%s", i, verb), verb)
				e.tell(fmt.Sprintf("killed%d-%s", i, verb), verb)
			})
		}
	}
	e.all.Wait()
	// Those that a change restarts one at a time.
	if _, err := e.client.Set(rolling(t), "rolled0-stop", control.Changes{Set: []string{"size=1001"}}, ""); err != nil && t.Context().Err() == nil && !strings.Contains(err.Error(), "deadline") {
		t.Errorf("the change: %v", err)
	}
	for i := range 3 {
		for _, verb := range []string{"stop", "quarantine"} {
			time.Sleep(rand.N(200 * time.Millisecond)) // any instant of a roll
			e.tell(fmt.Sprintf("rolled%d-%s", i, verb), verb)
		}
	}
	// Those that are held for an upgrade.
	e.all.Go(func() {
		for range 4 {
			h.mustUpgrade()
		}
	})
	for i := range 12 {
		for _, verb := range []string{"stop", "quarantine"} {
			e.tell(fmt.Sprintf("replaced%d-%s", i, verb), verb)
			time.Sleep(rand.N(20 * time.Millisecond)) // any instant of an upgrade
		}
	}
	e.all.Wait()

	e.allDown()
	s.kill()
	s = h.start(h.command(args[0], args[1:]...))
	h.becomes("runs again", "edges", "bystander", up)
	e.allDown()

	for _, name := range []string{"running", "probed", "ending", "starting0", "killed0", "replaced0", "rolled0"} {
		if _, err := e.client.Start(t.Context(), name+"-stop", ""); err != nil {
			t.Errorf("start %s-stop: %v", name, err)
		}
		if _, err := e.client.Start(t.Context(), name+"-quarantine", ""); err == nil || !strings.Contains(err.Error(), "quarantine") {
			t.Errorf("start %s-quarantine: %v", name, err)
		}
		if _, err := e.client.Release(t.Context(), name+"-quarantine", ""); err != nil {
			t.Errorf("release %s-quarantine: %v", name, err)
		}
		for _, verb := range []string{"stop", "quarantine"} {
			h.becomes("runs again", "edges", name+"-"+verb, func(st control.Status) bool { return st.IsUp() || name == "probed" && st.State == control.Running })
		}
	}
	for _, name := range e.names {
		decisions, err := e.client.Why(t.Context(), name)
		verb := name[strings.LastIndex(name, "-")+1:]
		if err != nil || !slices.ContainsFunc(decisions, func(d control.Decision) bool {
			return d.What == "stop" && strings.Contains(d.Why, "a reason of its own")
		}) {
			t.Errorf("why %s does not tell of the %s: %v, %+v", name, verb, err, decisions)
		}
	}
	s.interrupt()
	h.empty()
}

// rolling ends while a roll is under way: whoever asks for the change need not wait for all of it.
func rolling(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// edgeRun collects what was told.
type edgeRun struct {
	*home
	client   *control.Client
	patience string // of a probe, in seconds
	all      sync.WaitGroup

	mu    sync.Mutex
	names []string
}

// restart begins one, whose answer is not waited for: what comes after it takes its place.
func (e *edgeRun) restart(name string) {
	e.all.Go(func() {
		if _, err := e.client.Restart(e.t.Context(), name, ""); err != nil && !strings.Contains(err.Error(), "stop") && !strings.Contains(err.Error(), "quarantine") {
			e.t.Errorf("restart %s: %v", name, err)
		}
	})
}

// tell stops or quarantines the service, and looks at what is left of it as soon as that is answered.
func (e *edgeRun) tell(name, verb string) {
	ctx, cancel := context.WithTimeout(e.t.Context(), deadline)
	defer cancel()
	began := time.Now()
	do := e.client.Stop
	if verb == "quarantine" {
		do = e.client.Quarantine
	}
	st, err := do(ctx, name, "a reason of its own")
	if err != nil {
		e.t.Errorf("%s %s: %v after %s", verb, name, err, time.Since(began))
	} else if want := map[string]control.State{"stop": control.Stopped, "quarantine": control.Quarantined}[verb]; st.State != want {
		e.t.Errorf("%s %s is answered with %+v", verb, name, st)
	}
	if left := e.processes(name); len(left) > 0 {
		e.t.Errorf("%s %s is answered while %d of it are left, as %q", verb, name, len(left), arguments(left[0]))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.names = append(e.names, name)
}

// processes of the service, launchers and steps among them.
func (e *edgeRun) processes(service string) []int {
	return slices.DeleteFunc(mentioning(e.dir), func(pid int) bool {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		return !strings.Contains("\x00"+string(text), "\x00RECIPE_INCARNATION="+service+"/")
	})
}

// asked tells whether a probe is in flight: nothing else sleeps for so long.
func (e *edgeRun) asked() bool {
	return slices.ContainsFunc(pids(), func(pid int) bool { return slices.Equal(arguments(pid), []string{"/bin/sleep", e.patience}) })
}

func (e *edgeRun) allDown() {
	e.t.Helper()
	if e.asked() {
		e.t.Error("a probe is left of a service that is down")
	}
	statuses, err := e.client.Status(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	for _, st := range statuses {
		switch {
		case strings.HasSuffix(st.Service, "-stop") && st.State == control.Stopped && st.Stop != nil && st.Stop.Why == "a reason of its own":
		case strings.HasSuffix(st.Service, "-quarantine") && st.State == control.Quarantined && st.Quarantine.Why == "a reason of its own":
		case st.Service == "bystander" || st.Service == "never":
		default:
			e.t.Errorf("it does not stay down: %+v", st)
		}
		if left := e.processes(st.Service); len(left) > 0 && strings.Contains(st.Service, "-") {
			e.t.Errorf("%d of %s run, as %q", len(left), st.Service, arguments(left[0]))
		}
	}
}
