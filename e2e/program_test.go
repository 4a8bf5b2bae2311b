package e2e

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
)

// What cannot be executed, by the service's name: how it is made in place of a program, and what has to be said of it.
var unfit = map[string]struct {
	make func(t *testing.T, path string)
	says string
}{
	"missing":     {func(*testing.T, string) {}, "there is no program"},
	"forbidden":   {func(t *testing.T, path string) { place(t, path, 0o644, read(t, "/bin/sleep")) }, "is not executable"},
	"folder":      {func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o755)) }, "is not a regular file"},
	"empty":       {func(t *testing.T, path string) { place(t, path, 0o755, "") }, "it is empty"},
	"foreign":     {func(t *testing.T, path string) { place(t, path, 0o755, foreign(t)) }, "a program for another machine (vax)"},
	"interpreted": {func(t *testing.T, path string) { place(t, path, 0o755, "#!"+path+".interpreter\nexit 0\n") }, ".interpreter is not there"},
	"busy":        {hold, "Text file busy"},
}

// Programs that cannot be executed, each in its way, keep nothing else from running. What is wrong is said by its name, they
// are tried on, and run at most a cap after they are mended. It takes about 4 s.
func TestAProgramThatCannotRunIsSaidAndRunsOnceItIsMended(t *testing.T) {
	t.Parallel()
	eachUser(t, aProgramThatCannotRun)
}

func aProgramThatCannotRun(t *testing.T, h *home) {
	const longest = time.Second * 12 / 10 // cap with its jitter
	restarts := `restart = restart(delay = "50ms", cap = "1s")`
	recipe := fmt.Sprintf("service(name = \"sound\", command = [\"/bin/sleep\", \"1000\"], %s)\n", restarts)
	for service, u := range unfit {
		path := filepath.Join(h.dir, "bin", service)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		u.make(t, path)
		recipe += fmt.Sprintf("service(name = %q, command = [%q, \"1000\"], %s)\n", service, path, restarts)
	}
	h.write("unfit.star", recipe)
	h.give(h.uid)
	s := h.run(filepath.Join(h.dir, "unfit.star"))
	sound := h.becomes("runs", "unfit", "sound", running)
	for service, u := range unfit {
		h.becomes("was tried often", "unfit", service, func(st control.Status) bool { return st.Restarts >= 5 })
		st, _ := h.status("unfit", service)
		if why := h.must("why", service); !strings.Contains(why, u.says) || !strings.Contains(why, filepath.Join(h.dir, "bin", service)) {
			t.Errorf("why %s does not tell of %q:\n%s", service, u.says, why)
		}
		if st.State == control.Waiting && (st.NextStart == nil || time.Until(*st.NextStart) > longest) {
			t.Errorf("%s has no next start within %s: %+v", service, longest, st)
		}
	}
	before := s.figures()
	mended := time.Now()
	for service := range unfit {
		path := filepath.Join(h.dir, "bin", service)
		must(t, os.RemoveAll(path))
		place(t, path, 0o755, read(t, "/bin/sleep"))
	}
	var slowest time.Duration
	for service := range unfit {
		st := h.becomes("runs", "unfit", service, running)
		slowest = max(slowest, st.Since.Sub(mended))
	}
	t.Logf("the slowest ran %s after it was mended", slowest)
	if slowest > longest+2*time.Second { // for a machine that is busy
		t.Errorf("one ran only %s after it was mended, its cap is 1s", slowest)
	}
	if now, _ := h.status("unfit", "sound"); now.PID != sound.PID || now.Restarts != 0 {
		t.Errorf("the sound service was touched: %+v", now)
	}
	before.children += len(unfit)
	before.descriptors += 3 * len(unfit) // of each that runs its pidfd, lock and report
	s.flat(before)
	s.interrupt()
	h.empty()
}

// place puts a program where it is looked for, in one step. It is written by nobody when it is there.
func place(t *testing.T, path string, mode os.FileMode, text string) {
	t.Helper()
	must(t, os.WriteFile(path+".new", []byte(text), mode))
	must(t, os.Chmod(path+".new", mode))
	must(t, os.Rename(path+".new", path))
}

// hold makes a program that somebody writes until the test ends.
func hold(t *testing.T, path string) {
	t.Helper()
	place(t, path, 0o755, read(t, "/bin/sleep"))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	t.Cleanup(func() { f.Close() })
}

// foreign is a program for a machine that nothing here emulates.
func foreign(t *testing.T) string {
	t.Helper()
	program := []byte(read(t, "/bin/sleep"))
	const machine = 18 // where an ELF header has it
	program[machine], program[machine+1] = byte(elf.EM_VAX), 0
	return string(program)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A program is replaced again and again while it runs: the daemon is not touched, and each restart has the program that is
// there then. One that is written for 0.3 s is waited for. It takes about 3 s.
func TestAProgramIsReplacedWhileItRuns(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	path := filepath.Join(h.dir, "bin/daemon")
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	sleep := read(t, "/bin/sleep")
	place(t, path, 0o755, sleep)
	s := h.run(h.write("busy.star", fmt.Sprintf(`service(name = "busy", command = [%q, "1000"], restart = restart(delay = "50ms", cap = "1s"))`+"\n", path)))
	st := h.becomes("runs", "busy", "busy", running)
	h.must("restart", "busy") // so that what is opened once is open
	before := s.figures()
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	for i := range rounds {
		st, _ = h.status("busy", "busy")
		if _, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0); err == nil {
			t.Fatal("a program that runs could be written over: this test shows nothing")
		}
		place(t, path, 0o755, sleep+fmt.Sprint(i))
		if now, _ := h.status("busy", "busy"); now.PID != st.PID {
			t.Fatalf("process %d runs after its program was replaced, want %d", now.PID, st.PID)
		}
		if i%4 == 0 {
			writer, err := os.OpenFile(path, os.O_WRONLY, 0)
			must(t, err)
			time.AfterFunc(300*time.Millisecond, func() { writer.Close() })
		}
		h.must("restart", "busy")
		now := h.becomes("runs again", "busy", "busy", func(now control.Status) bool { return running(now) && now.PID != st.PID })
		exe, err := os.ReadFile(fmt.Sprintf("/proc/%d/exe", now.PID))
		if err != nil || string(exe) != sleep+fmt.Sprint(i) {
			t.Fatalf("round %d: what runs is not the program that was put there: %v", i, err)
		}
		if twice := named(s.daemons(), "daemon"); len(twice) != 1 {
			t.Fatalf("round %d: %d daemons run", i, len(twice))
		}
	}
	s.flat(before)
	s.interrupt()
	h.empty()
}
