package driver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/logs"
	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

func sleeper(name string) plan.Service { return serviceOf(name, "exec sleep 1000") }

func named(name string, services ...plan.Service) *plan.Plan {
	p := planOf(services...)
	p.Name = name
	return p
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// A recipe that is saved again while its last text is still being evaluated is evaluated once more.
func TestASaveDuringAnEvaluationIsNotLost(t *testing.T) {
	r := begun(t, planOf(sleeper("a")))
	r.pidOf("a")
	var once sync.Once
	r.mu.Lock()
	r.load = func() {
		once.Do(func() {
			r.change(planOf(sleeper("a"), sleeper("b"), sleeper("c")), "with b and c")
			time.Sleep(500 * time.Millisecond) // an evaluation that takes longer than the watch needs to see the change
		})
	}
	r.mu.Unlock()
	r.change(planOf(sleeper("a"), sleeper("b")), "with b")
	r.pidOf("b")
	r.pidOf("c")
}

// A plan's JSON names what its recipe loaded, which need not lie beside it.
func TestAPlanWithoutItsSourcesIsNotEvaluatedForEver(t *testing.T) {
	with := func(services ...plan.Service) *plan.Plan {
		p := planOf(services...)
		p.Inputs = []plan.Input{{Path: "lib.star", SHA256: sumOf("elsewhere")}}
		return p
	}
	r := begun(t, with(sleeper("a")))
	r.pidOf("a")
	r.change(with(sleeper("a"), sleeper("b")), "with b")
	r.pidOf("b")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loads > 5 {
		t.Errorf("two texts were evaluated %d times", r.loads)
	}
}

// What is wrong with a recipe may be mended where nobody watches; it is reported once all the same.
func TestARefusedRecipeIsTriedAgain(t *testing.T) {
	r := prepare(t, t.TempDir(), planOf(sleeper("a")))
	r.retry = 20 * time.Millisecond
	r.begin()
	pid := r.pidOf("a")
	loads := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.loads
	}
	before, began := loads(), time.Now()
	r.change(nil, "half a recipe")
	r.until("it is tried again and again", func() bool { return loads() >= before+5 })
	if least := (1 + 2 + 4 + 8) * r.retry; time.Since(began) < least {
		t.Errorf("four tries more within %s; each pause is twice the one before it, %s in all", time.Since(began), least)
	}
	if n := r.count("no recipe"); n != 1 {
		t.Errorf("reported %d times", n)
	}
	r.mu.Lock()
	r.plan = planOf(sleeper("a"), sleeper("b"))
	r.mu.Unlock()
	r.pidOf("b")
	if r.pidOf("a") != pid {
		t.Error("a was restarted though nothing of it changed")
	}
}

// One of several recipes is broken at the start: the others run, and it joins them once it is mended.
func TestABrokenRecipeAmongSeveral(t *testing.T) {
	broken := named("broken", sleeper("b"))
	r := prepare(t, t.TempDir(), planOf(sleeper("a")), broken)
	file := filepath.Join(r.dir, "broken.star")
	r.others[file] = nil
	r.begin()
	pid := r.pidOf("a")
	if r.count("no recipe") != 1 {
		t.Error("the broken recipe was not reported")
	}
	r.mu.Lock()
	r.others[file] = broken
	r.mu.Unlock()
	r.write(file, "mended")
	r.pidOf("b")
	if r.pidOf("a") != pid {
		t.Error("the sound recipe was touched")
	}
}

// Flags that cannot be used at the start keep their services waiting until they are mended, and no others.
func TestFlagsMendedLater(t *testing.T) {
	p := named("flagged", sleeper("b"))
	p.Services[0].Env = []plan.Variable{{Name: "SIZE", Value: expr.FlagOf("size")}}
	p.Flags = []plan.Flag{{Name: "size", Type: plan.FlagInt, Default: expr.IntOf(3), Apply: plan.Apply{Action: plan.ApplyRestart}}}
	r := prepare(t, t.TempDir(), planOf(sleeper("a")), p)
	file := filepath.Join(r.dir, "root/etc/flagged/flags")
	r.write(file, "size=big\n")
	r.begin()
	r.pidOf("a")
	r.until("b's flags are refused", func() bool { return r.count("until it is mended") == 1 })
	r.write(file, "size=4\n")
	r.pidOf("b")
}

// Each of several recipes takes the settings of the flags that it has; one that nobody has is refused.
func TestSettingsGoToTheRecipesThatHaveTheFlag(t *testing.T) {
	p := named("flagged", sleeper("b"))
	p.Flags = []plan.Flag{{Name: "size", Type: plan.FlagInt, Default: expr.IntOf(3), Apply: plan.Apply{Action: plan.ApplyRestart}}}
	p.Services[0] = serviceOf("b", `test "$1" = 5 && exec sleep 1000; exit 1`)
	p.Services[0].Command = append(p.Services[0].Command, expr.TextOf("b"), expr.FlagOf("size"))
	r := prepare(t, t.TempDir(), planOf(sleeper("a")), p)
	r.options.Sets = []string{"size=5"}
	r.begin()
	r.pidOf("a")
	r.pidOf("b")
	other := prepare(t, t.TempDir(), planOf(sleeper("a")), p)
	other.options.Sets = []string{"sise=5"}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := other.Run(ctx, ctx); err == nil || !strings.Contains(err.Error(), `--set: flag "sise": no such flag`) {
		t.Errorf("a setting that no recipe has: %v", err)
	}
}

// A module that two recipes load is watched as long as one of them does.
func TestAModuleOfTwoRecipes(t *testing.T) {
	load := func(p *plan.Plan, text string) *plan.Plan {
		p.Inputs = []plan.Input{{Path: "lib.star", SHA256: sumOf(text)}}
		return p
	}
	r := prepare(t, t.TempDir(), load(planOf(sleeper("a")), "one"), load(named("other", sleeper("b")), "one"))
	module := filepath.Join(r.dir, "lib.star")
	r.write(module, "one")
	r.begin()
	r.pidOf("b")
	r.change(planOf(sleeper("a"), sleeper("c")), "without the module")
	r.pidOf("c")
	r.mu.Lock()
	r.others[filepath.Join(r.dir, "other.star")] = load(named("other", sleeper("b"), sleeper("d")), "two")
	r.mu.Unlock()
	r.write(module, "two")
	r.pidOf("d")
}

// Two flags that change together and ask for two signals get both, after both templates were written.
func TestEachSignalIsSent(t *testing.T) {
	s := serviceOf("a", `trap 'echo hup; cat "$0"' HUP; trap 'echo usr; cat "$0"' USR1; echo ready; while :; do sleep 0.01; done`)
	s.Command = append(s.Command, expr.PathOf("/run/a.conf"))
	s.Prepare = []plan.Step{{Template: &plan.Template{Path: expr.PathOf("/run/a.conf"), Text: expr.Fmt("{} {}\n", expr.FlagOf("one"), expr.FlagOf("two")), Mode: 0o644}}}
	p := planOf(s)
	for name, signal := range map[string]string{"one": "HUP", "two": "USR1"} {
		p.Flags = append(p.Flags, plan.Flag{Name: name, Type: plan.FlagInt, Default: expr.IntOf(1), Apply: plan.Apply{Action: plan.ApplySignal, Signal: signal}})
	}
	r := begun(t, p)
	pid := r.pidOf("a")
	r.until("its traps are set", func() bool { return logged(r, "ready\n") })
	r.write(filepath.Join(r.dir, "root/etc/test/flags"), "one=2\ntwo=3\n")
	r.until("both signals came", func() bool { return logged(r, "hup\n2 3\n") && logged(r, "usr\n2 3\n") })
	if strings.Contains(r.status("a").Reason, "restart") || r.pidOf("a") != pid {
		t.Error("it was restarted")
	}
}

// A secret is watched where its file lies: one that changes is written into the template, and said without its value.
func TestAChangedSecretIsAChangedFlag(t *testing.T) {
	s := serviceOf("a", `trap 'echo hup; cat "$0"' HUP; echo ready; cat "$0"; while :; do sleep 0.01; done`)
	s.Command = append(s.Command, expr.PathOf("/run/a.conf"))
	s.Prepare = []plan.Step{{Template: &plan.Template{Path: expr.PathOf("/run/a.conf"), Text: expr.Fmt("it is {}\n", expr.FlagOf("password")), Mode: 0o600}}}
	p := planOf(s)
	p.Flags = []plan.Flag{{Name: "password", Type: plan.FlagString, Secret: true, RenamedFrom: []string{"pass"}, Apply: plan.Apply{Action: plan.ApplySignal, Signal: "HUP"}}}
	r := prepare(t, t.TempDir(), p)
	r.retry = 20 * time.Millisecond
	put := func(name, secret string) {
		r.write(filepath.Join(r.dir, "root/etc/test", name), secret)
		if err := os.Chmod(filepath.Join(r.dir, "root/etc/test", name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("one", "first")
	put("flags", "pass=@/etc/test/one\n")
	r.begin()
	pid := r.pidOf("a")
	r.until("it is ready", func() bool { return logged(r, "ready\nit is first\n") })
	if r.count(`flag "pass" is now called "password"`) != 1 {
		t.Error("the old name is not said once")
	}
	put("one", "second")
	r.until("the changed file is seen", func() bool { return logged(r, "hup\nit is second\n") })
	put("two", "third")
	put("flags", "password=@/etc/test/two\n")
	r.until("the other file is read", func() bool { return logged(r, "hup\nit is third\n") })
	put("two", "fourth")
	r.until("the other file is watched", func() bool { return logged(r, "hup\nit is fourth\n") })
	if err := os.Chmod(filepath.Join(r.dir, "root/etc/test/two"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := r.count("can be read or written by others")
	r.write(filepath.Join(r.dir, "root/etc/test/two"), "fifth")
	r.until("a file for all is refused", func() bool { return r.count("can be read or written by others") > before })
	if err := os.Chmod(filepath.Join(r.dir, "root/etc/test/two"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.until("its mode is mended", func() bool { return logged(r, "hup\nit is fifth\n") })
	if r.pidOf("a") != pid {
		t.Error("it was restarted")
	}
	decisions, err := r.Why(context.Background(), "a")
	if told := fmt.Sprint(decisions); err != nil || !strings.Contains(told, "another secret") || strings.Contains(told, "second") {
		t.Errorf("why tells %s, %v", told, err)
	}
	for _, secret := range []string{"first", "second", "third", "fourth", "fifth"} {
		if r.count(secret) > 0 {
			t.Errorf("the secret %q was said", secret)
		}
		if data, err := os.ReadFile(filepath.Join(r.dir, "state/test.journal")); err != nil || strings.Contains(string(data), secret) {
			t.Errorf("the journal holds the secret %q, or nothing: %v", secret, err)
		}
	}
}

// A service that is declared again before it is gone keeps no other change waiting, and comes back once it is.
func TestAServiceThatIsStillEndingKeepsNothingWaiting(t *testing.T) {
	slow := serviceOf("slow", `trap '' TERM; while :; do sleep 0.05; done`)
	slow.Stop.Grace = plan.Duration(time.Hour / time.Millisecond)
	other := named("other", sleeper("b"))
	r := prepare(t, t.TempDir(), planOf(sleeper("a"), slow), other)
	r.begin()
	t.Cleanup(func() {
		if sv := r.service("slow"); sv != nil {
			sv.send(message{event: supervise.Stop{Why: "the test is over"}})
			sv.send(message{event: supervise.Hasten{Why: "the test is over"}})
		}
	})
	pid := r.pidOf("slow")
	r.change(planOf(sleeper("a")), "without it")
	r.until("it is being ended", func() bool { return r.status("slow").State == control.Stopping })
	r.change(planOf(sleeper("a"), slow), "with it again")
	r.until("that is said", func() bool { return r.count("which is still being ended") == 1 })
	r.mu.Lock()
	file := filepath.Join(r.dir, "other.star")
	r.others[file] = named("other", sleeper("b"), sleeper("c"))
	r.mu.Unlock()
	r.write(file, "with another")
	r.pidOf("c")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.until("it runs again", func() bool { s := r.status("slow"); return s.IsUp() && s.PID != pid })
}

// A service that cannot be added, since no descriptor is left, is added once there are some.
func TestAServiceThatCouldNotBeAddedIsAddedLater(t *testing.T) {
	r := prepare(t, t.TempDir(), planOf(sleeper("a")))
	r.retry = 20 * time.Millisecond
	good, say := r.logs, r.options.Say
	var err error
	if r.logs, err = logs.NewCollector(); err != nil {
		t.Fatal(err)
	}
	r.logs.Close() // whose logs cannot be opened
	r.options.Say = func(line string) {
		if say(line); strings.Contains(line, "cannot take the service under supervision") { // in the goroutine that adds
			r.logs = good
		}
	}
	r.begin()
	r.pidOf("a")
}
