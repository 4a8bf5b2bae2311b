package launch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/expr"
	"recipe/runtime/launch"
)

// TestSpecThroughJSON: what a supervisor hands to the process that launches is what it resolved.
func TestSpecThroughJSON(t *testing.T) {
	t.Parallel()
	p := tour()
	env := &expr.Env{Root: "/r", Flags: map[string]expr.Value{"port": {Kind: expr.Int, Int: 80}, "workers": {Kind: expr.Int, Int: 4}, "log-level": {Kind: expr.Text, Text: "info"}}}
	spec, err := launch.Resolve(p, &p.Services[0], env)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	var back launch.Spec
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*spec, back); diff != "" {
		t.Error(diff)
	}
	want := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/r/var/lib/foo", "USER=foo", "LOGNAME=foo", "FOO_DATA=/r/var/lib/foo"}
	if diff := cmp.Diff(want, spec.Env); diff != "" {
		t.Error(diff)
	}
}

// TestBecomeKeeps the descriptors that it is told to keep, and no other; and takes what a supervisor adds.
func TestBecomeKeeps(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"RECIPE_TEST_BECOME=5,3", "INHERITED=1"}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd.ExtraFiles = []*os.File{null, null, null, null}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if want := "0 1 2 3 5 A=2 B=1 C=3"; strings.Join(strings.Fields(string(out)), " ") != want {
		t.Errorf("%q, not %q", out, want)
	}
}

// become is the other side of TestBecomeKeeps. In the shell's own list of descriptors nothing of ls is open.
func become() error {
	spec := launch.Spec{Service: "foo", Argv: []string{"/bin/sh", "-c", `for fd in 0 1 2 3 4 5 6; do [ ! -e /proc/$$/fd/$fd ] || echo $fd; done; echo "A=$A" "B=$B" "C=$C" $INHERITED`},
		Env: []string{"A=1", "B=1"}, Extra: []string{"A=2", "C=3"}}
	return spec.Become(nil, 5, 3)
}

// TestInsane holds the line, the pause and the exit code.
func TestInsane(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	began := time.Now()
	err := errors.Join(errors.New("one"), fmt.Errorf("two"))
	if code := launch.Insane(context.Background(), &out, "foo", err, 50*time.Millisecond); code != 100 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("a pause of %v", took)
	}
	if want := "run-foo: cannot start foo: one; two\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	began = time.Now()
	launch.Insane(cancelled, &out, "foo", err, time.Hour)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("a cancelled pause of %v", took)
	}
}

// TestPause reads RECIPE_PAUSE as sleep does.
func TestPause(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 5 * time.Second, "0": 0, "0.25": 250 * time.Millisecond, "7": 7 * time.Second, "x": 5 * time.Second, "-1": 5 * time.Second, "NaN": 5 * time.Second} {
		t.Setenv("RECIPE_PAUSE", text)
		if got := launch.Pause(); got != want {
			t.Errorf("%q: %v, not %v", text, got, want)
		}
	}
}

// TestScriptPauses before it gives up.
func TestScriptPauses(t *testing.T) {
	t.Parallel()
	root := fresh(t)
	p := called([]expr.Expr{expr.PathOf("/absent")})
	for _, l := range launchers(t) {
		cmd := command(t, l, p, root, "")
		cmd.Env = append(cmd.Env, "RECIPE_PAUSE=0.4")
		began := time.Now()
		cmd.Run()
		if took := time.Since(began); cmd.ProcessState.ExitCode() != launch.ExitInsane || took < 400*time.Millisecond || took > patience {
			t.Errorf("%s: exit code %d after %v", l.name, cmd.ProcessState.ExitCode(), took)
		}
	}
}

// TestBecomeWaitsForABusyProgram for half a second, and then says what is the matter.
func TestBecomeWaitsForABusyProgram(t *testing.T) {
	t.Parallel()
	root := fresh(t)
	program := filepath.Join(root, "opt/recorder")
	data, err := os.ReadFile(filepath.Join(shared, "recorder"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, program, string(data), 0o755)
	held, err := os.OpenFile(program, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	cmd := command(t, launcher{native: true}, called([]expr.Expr{expr.PathOf("/opt/recorder")}), root, "")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	began := time.Now()
	cmd.Run()
	if took := time.Since(began); cmd.ProcessState.ExitCode() != launch.ExitInsane || took < 400*time.Millisecond ||
		!strings.HasSuffix(stdout.String(), "/opt/recorder cannot be run: Text file busy\n") {
		t.Errorf("exit code %d after %v: %q", cmd.ProcessState.ExitCode(), took, stdout.String())
	}
	held.Close()
	cmd = command(t, launcher{native: true}, called([]expr.Expr{expr.PathOf("/opt/recorder")}), root, "")
	if err := cmd.Run(); err != nil {
		t.Errorf("it is free again, but: %v", err)
	}
}
