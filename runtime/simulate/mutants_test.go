package simulate

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type mutant struct{ rule, file, statement, instead, broken string }

// mutants are rules of the machine that are switched off: in a file of package supervise a statement, or a condition, is
// replaced by the other, and the simulation has to see one of the rules of this package broken.
var mutants = []mutant{
	{"what is left is killed", "life.go", `s.do(Kill{})`, `s.do()`, "stopped means empty|never given up"},
	{"a start waits until nothing is left", "life.go", `s.enter(Killing, time.Time{}, why)`, `s.queue(why)`, "the table|stopped means empty|never two"},
	{"what an earlier supervisor left is killed", "life.go", `s.do(Clear{})`, `s.do()`, "never given up"},
	{"a start waits until nothing of an earlier supervisor is left", "life.go", `s.enter(Killing, time.Time{}, "what an earlier supervisor left is ended first")`, `s.do()`, "stopped means empty|never two"},
	{"a death is followed by a kill", "life.go", "s.ending, s.unsaid = \"the daemon ended: \"+e.Status, true\n\ts.kill(s.ending)", `s.do(StopProbes{}); s.dead("it ended")`, "the table|stopped means empty|never two"},
	{"a delay ends", "life.go", `s.enter(Waiting, s.now.Add(delay), reason)`, `s.enter(Waiting, time.Time{}, reason)`, "never given up"},
	{"a grace ends", "life.go", `s.enter(Ending, s.now.Add(s.Config.Stop.Grace.Std()), why)`, `s.enter(Ending, time.Time{}, why)`, "never given up"},
	{"a grace is given", "life.go", `return !s.Due.IsZero() && !s.now.Before(s.Due)`, `return !s.Due.IsZero()`, "grace|delays"},
	{"the stop signal is sent", "life.go", `s.do(StopProbes{}, Signal{s.Config.Stop.Signal})`, `s.do(StopProbes{})`, "grace"},
	{"a start is asked for", "life.go", `s.do(Admit{})`, `s.do()`, "never given up"},
	{"delays grow", "life.go", `return s.backoff(s.Deaths - 2)`, `return s.backoff(0)`, "delays"},
	{"delays do not exceed the cap", "life.go", `return time.Duration(min(limit, d*(1+spread)))`, `return time.Duration(d*(1+spread))`, "delays"},
	{"a lower cap holds at once", "life.go", `s.Due = limit`, `s.do()`, "delays"},
	{"quick deaths are counted", "life.go", `s.Deaths++`, `s.Deaths = 1`, "delays"},
	{"a stable run forgives deaths", "life.go", `s.now.Sub(s.Executed) >= s.Config.Restart.StableAfter.Std()`, `false`, "delays"},
	{"what was asked for once is done once", "life.go", `s.spawned, s.atOnce = true, false`, `s.spawned = true`, "delays|runs"},
	{"a start is not forgotten while the last one ends", "life.go", `s.Wanted, s.atOnce = true, true`, `s.atOnce = true`, "admin state"},
	{"a stop is kept", "life.go", "s.Wanted, s.atOnce = false, false\n\ts.record(\"stop\", \"%s; it is ending already\", e.Why)", `s.do()`, "admin state"},
	{"a stop is kept that finds nothing running", "life.go", "s.Wanted, s.atOnce = false, false\n\ts.record(\"stop\", \"%s; nothing was running\", e.Why)", `s.record("stop", "%s", e.Why)`, "admin state|never given up"},
	{"an end is recorded though a start was asked for", "life.go", `s.record("restart", "%s; at once", reason)`, `s.do()`, "reasons"},
	{"a restart is recorded", "life.go", `s.record("restart", "%s; in %s, after %d quick deaths", reason, delay.Round(time.Millisecond), s.Deaths)`, `s.do()`, "reasons"},
	{"a kill is recorded", "health.go", `s.record("kill", "%s: %s (%d of %d%s)", e.Name, e.Detail, p.failures, config.Failures, s.lasting(e, p))`, `s.do()`, "reasons"},
	{"changed probes begin anew", "life.go", "s.do(StopProbes{})\n\t\ts.watch()", `s.probes = make([]probeState, len(s.Config.Probes))`, "health"},
	{"probes end with the daemon", "life.go", "if s.State == Running {\n\t\ts.do(StopProbes{})\n\t}", `s.do()`, "health"},
	{"probes begin with the daemon", "health.go", `s.do(Probe{})`, `s.do()`, "health"},
	{"an inconclusive answer counts for nothing", "health.go", `s.inconclusive(e, p)`, `s.failed(e, p)`, "no false kill|health"},
	{"a readiness probe kills nothing", "health.go", "s.unready(e, p)\n\t\treturn", `s.unready(e, p)`, "no false kill|health"},
	{"a daemon that starts is given time", "health.go", `!p.answered && !e.Hung && s.now.Before(s.StartBy(e.Probe))`, `false`, "no false kill|health"},
	{"failures count in a row alone", "health.go", `p.failures, p.paused = 0, 0`, `p.paused = 0`, "no false kill|health"},
	{"a hang is the end of a daemon", "health.go", "s.ending = \"hung: \" + e.Name + \": \" + e.Detail", `return`, "hung is dead"},
	{"a daemon that says that it hangs is killed", "health.go", `p.failures < config.Failures && !e.Hung`, `p.failures < config.Failures`, "hung is dead"},
	{"time to start that is asked for is given", "said.go", `s.extended = until`, `s.do()`, "no false kill|health"},
	{"time to stop that is asked for is given", "said.go", `s.Due = until`, `s.do()`, "grace"},
	{"time to stop has a limit", "said.go", `until = limit`, `s.do()`, "grace"},
	{"successes count in a row alone", "health.go", `p.successes, p.paused = 0, 0`, `p.paused = 0`, "health"},
	{"one failure makes unhealthy", "health.go", `s.Healthy, p.unwell = false, true`, `p.unwell = true`, "health"},
	{"what fails has to answer before it is healthy", "health.go", `!p.answered || p.unwell`, `!p.answered`, "health"},
	{"startup probes are asked alone", "health.go", `len(starting) > 0`, `false`, "health"},

	{"a run ends by its timeout", "task.go", "s.task.Last = s.wall()\n\ts.Due = s.now.Add(s.task.Task.Timeout)", `s.task.Last = s.wall()`, "runs"},
	{"a timeout goes on when the daemon is executed", "task.go", `s.enter(Running, s.Due, s.Reason)`, `s.enter(Running, time.Time{}, s.Reason)`, "runs"},
	{"a changed timeout holds at once", "task.go", `s.Due = s.task.began.Add(e.Config.Timeout)`, `s.do()`, "runs"},
	{"the end of a run is told", "task.go", `s.do(Ran{OK: ok, Result: reason})`, `s.do()`, "runs"},
	{"one run's success is not the next one's", "task.go", `s.task.began, s.task.succeeded = s.now, false`, `s.task.began = s.now`, "runs"},
	{"a clock that was set back holds up nothing", "task.go", `s.Due.Sub(s.now) > s.longest()`, `false`, "runs"},
	{"a run asked for while one ends is not forgotten", "task.go", `s.Wanted, s.atOnce = true, true`, `s.Wanted = true`, "runs"},
}

// TestMutants switches off one rule of the machine after the other; the simulation sees each. All are compiled into one copy
// of the package, so it takes 5 s of a processor to compile, and 10 s to run.
func TestMutants(t *testing.T) {
	binary := mutated(t)
	t.Run("a_failure_is_shrunk_and_its_seed_replays_it", func(t *testing.T) {
		t.Parallel()
		replays(t, binary, "what is left is killed")
	})
	for i, m := range mutants {
		t.Run(strings.ReplaceAll(m.rule, " ", "_"), func(t *testing.T) {
			t.Parallel()
			out := simulated(t, binary, i, "-brief", "-hosts", "150")
			for rule := range strings.SplitSeq(m.broken, "|") {
				if strings.Contains(out, ": "+rule+": after") {
					return
				}
			}
			t.Errorf("wanted %q to be broken, not:\n%.2000s", m.broken, out)
		})
	}
}

// simulated is what the simulation says of a mutant, by its index.
func simulated(t *testing.T, binary string, mutant int, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"-test.run", "^TestSimulation$"}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("MUTANT=%d", mutant+1), "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("nothing is seen of it")
	}
	return string(out)
}

var shrunk = regexp.MustCompile(`seed (\d+): (.*)\n.* (\d+) faults, shrunk to (\d+):`)

// replays has one mutant found, and found again by its seed.
func replays(t *testing.T, binary, rule string) {
	mutant := slices.IndexFunc(mutants, func(m mutant) bool { return m.rule == rule })
	first := shrunk.FindStringSubmatch(simulated(t, binary, mutant))
	if first == nil {
		t.Fatal("no seed is told")
	}
	again := shrunk.FindStringSubmatch(simulated(t, binary, mutant, "-seed", first[1]))
	if !slices.Equal(first, again) {
		t.Errorf("%q the first time, %q again", first, again)
	}
	if few, _ := strconv.Atoi(first[4]); few > 3 {
		t.Errorf("%d faults are left, and one death is enough", few)
	}
}

// mutated compiles this test with a copy of package supervise that has all mutants, and gives life to the one that $MUTANT
// says.
func mutated(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source, err := filepath.Abs("../supervise")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"mutant.go": "package supervise\n\nimport \"os\"\n\nvar mutant = os.Getenv(\"MUTANT\")\n"}
	for i, m := range mutants {
		if texts[m.file] == "" {
			text, err := os.ReadFile(filepath.Join(source, m.file))
			if err != nil {
				t.Fatal(err)
			}
			texts[m.file] = string(text)
		}
		if !strings.Contains(texts[m.file], m.statement) {
			t.Fatalf("%s: %s has no such statement any longer: %s", m.rule, m.file, m.statement)
		}
		texts[m.file] = strings.ReplaceAll(texts[m.file], m.statement, switched(i+1, m.statement, m.instead))
	}
	overlay := map[string]string{}
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(source, name)] = path
	}
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	list, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "simulate.test")
	if err := os.WriteFile(list, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "test", "-c", "-overlay", list, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("cannot compile the mutants: %v\n%s", err, out)
	}
	return binary
}

// switched is Go that does the one or, in the mutant of that number, the other.
func switched(number int, was, instead string) string {
	parsed, err := parser.ParseExpr(was)
	if _, condition := parsed.(*ast.BinaryExpr); condition && err == nil {
		return fmt.Sprintf("(mutant == %q && (%s) || mutant != %[1]q && (%[3]s))", fmt.Sprint(number), instead, was)
	}
	return fmt.Sprintf("if mutant == %q {\n%s\n} else {\n%s\n}", fmt.Sprint(number), instead, was)
}
