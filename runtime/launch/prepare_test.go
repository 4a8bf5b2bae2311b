package launch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/expr"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// steady is a plan whose steps touch the disk.
func steady() *plan.Plan {
	steps := []plan.Step{directory("/var/lib/foo", 0o2750, "", ""), directory("/srv/a/b/c", 0o700, "", "")}
	for i := range 4 {
		steps = append(steps, template(fmt.Sprintf("/run/foo/%d.conf", i), 0o640, expr.TextOf(strings.Repeat(fmt.Sprintf("line %d\n", i), 2000))))
	}
	steps = append(steps, copied("/run/foo/2.conf", "/srv/a/2.conf", 0o600, false), link("/srv/a/current", expr.TextOf("b/c")), run(5000, sh("exit 0")...), template("/etc/foo/last.conf", 0o600, expr.TextOf("last\n")))
	return daemon(steps...)
}

// TestPrepareTwiceChangesNothing: the second run leaves every inode and every time of change as it was.
func TestPrepareTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	for _, l := range launchers(t) {
		root := fresh(t)
		once(t, l, steady(), root)
		before := stamps(t, root)
		once(t, l, steady(), root)
		if diff := cmp.Diff(before, stamps(t, root)); diff != "" {
			t.Errorf("%s:\n%s", l.name, diff)
		}
	}
}

// TestPrepareKilledAtAnyInstant: whenever it dies, the next run gives the same tree, and nothing temporary piles up.
func TestPrepareKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	for _, l := range launchers(t) {
		if l.tools != "" {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			whole := fresh(t)
			once(t, l, steady(), whole)
			clear(t, whole)
			began := time.Now()
			once(t, l, steady(), whole)
			took := time.Since(began)
			want := tree(t, whole)
			root := fresh(t)
			unfinished := 0
			for i := range 12 {
				if i%4 == 0 {
					clear(t, root)
				}
				cmd := command(t, l, steady(), root, "")
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(rand.N(took)) // the instant is the test
				syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				if err := cmd.Wait(); err != nil {
					unfinished++
				} else { // it was measured on a machine that was busier
					took = max(took/2, time.Millisecond)
				}
				if litter := temporary(t, root); litter > 2 {
					t.Fatalf("%d temporary files after %d deaths", litter, i+1)
				}
			}
			if unfinished == 0 {
				t.Error("no run was killed: the test holds nothing")
			}
			once(t, l, steady(), root)
			if diff := cmp.Diff(want, tree(t, root)); diff != "" {
				t.Errorf("after %d deaths:\n%s", unfinished, diff)
			}
		})
	}
}

// TestPrepareCancelled ends the step that runs, with its tree.
func TestPrepareCancelled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	p := daemon(run(60_000, append(sh(`setsid sleep 77 & echo $! $$ >"$0.new"; mv "$0.new" "$0"; sleep 78`), expr.TextOf(pids))...))
	root := fresh(t)
	cmd := command(t, launcher{name: "native", native: true}, p, root, "")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	list := strings.Fields(await(t, pids))
	cmd.Process.Signal(syscall.SIGTERM) // the launcher's context is its TERM
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != launch.ExitInsane || !strings.Contains(stdout.String(), "cannot start foo: ") {
		t.Errorf("exit code %d, %q", cmd.ProcessState.ExitCode(), stdout.String())
	}
	for _, pid := range list {
		if _, err := os.Stat("/proc/" + pid); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("process %s is still there", pid)
		}
	}
}

// TestScriptStopsWithItsStep: TERM during a run step leaves no process of it.
func TestScriptStopsWithItsStep(t *testing.T) {
	t.Parallel()
	for _, l := range launchers(t) {
		if l.native {
			continue
		}
		pids := filepath.Join(t.TempDir(), "pids")
		p := daemon(run(60_000, append(sh(`sleep 77 & echo $! $$ >"$0.new"; mv "$0.new" "$0"; sleep 78`), expr.TextOf(pids))...))
		cmd := command(t, l, p, fresh(t), "")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		list := strings.Fields(await(t, pids))
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
			t.Errorf("%s: %v, which an init takes for a failure", l.name, cmd.ProcessState)
		}
		for _, pid := range list {
			gone(t, l.name, pid)
		}
	}
}

// TestWriteTemplatesAlone brings templates up to date and runs no other step.
func TestWriteTemplatesAlone(t *testing.T) {
	t.Parallel()
	root := fresh(t)
	p := daemon(directory("/made", 0o755, "", ""), template("/run/foo/live.conf", 0o644, expr.FlagOf("x")), run(1000, sh("exit 1")...))
	env := &expr.Env{Root: root, Flags: map[string]expr.Value{"x": {Kind: expr.Text, Text: "one"}}}
	for _, text := range []string{"one", "two"} {
		env.Flags["x"] = expr.Value{Kind: expr.Text, Text: text}
		spec, err := launch.Resolve(p, &p.Services[0], env)
		if err != nil {
			t.Fatal(err)
		}
		if err := spec.WriteTemplates(context.Background()); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(root + "/run/foo/live.conf"); err != nil || string(data) != text {
			t.Errorf("%q, %v", data, err)
		}
	}
	if _, err := os.Stat(root + "/made"); err == nil {
		t.Error("a directory step was carried out")
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	spec, _ := launch.Resolve(p, &p.Services[0], env)
	if err := spec.WriteTemplates(cancelled); err == nil {
		t.Error("a cancelled context changes nothing")
	}
}

// fresh is a root with the daemon in it.
func fresh(t *testing.T) string {
	t.Helper()
	root := filepath.Join(openTempDir(t), "root")
	mkdir(t, root)
	install(t, root)
	return root
}

// once runs a launcher to its end, which has to be good.
func once(t *testing.T, l launcher, p *plan.Plan, root string) {
	t.Helper()
	cmd := command(t, l, p, root, "")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		t.Fatalf("%s: %v: %s%s", l.name, err, stdout.String(), cmd.Stderr)
	}
}

func stamps(t *testing.T, root string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		if d.Name() == "recorder" {
			return nil // a link that other tests share
		}
		list = append(list, fmt.Sprintf("%s inode %d modified %v changed %v", path, st.Ino, st.Mtim, st.Ctim))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func temporary(t *testing.T, root string) int {
	t.Helper()
	n := 0
	for _, line := range tree(t, root) {
		if strings.Contains(line, ".new ") {
			n++
		}
	}
	return n
}

// clear empties a root, the daemon aside.
func clear(t *testing.T, root string) {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "bin" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

const patience = 20 * time.Second

// await reads a file once it is there.
func await(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil {
			return string(data)
		}
	}
	t.Fatalf("%s never came to be", path)
	return ""
}

func gone(t *testing.T, who, pid string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		if err != nil || bytes.Contains(status, []byte("State:\tZ")) {
			return
		}
	}
	t.Errorf("%s: process %s is still there", who, pid)
}
