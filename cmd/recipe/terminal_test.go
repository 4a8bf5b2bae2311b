package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExecLeavesTheTerminalItsKind holds that a daemon draws for the terminal that it is left, unless its recipe knows better.
func TestExecLeavesTheTerminalItsKind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ extra, want string }{
		{"terminal = True", "kind of vt220."},
		{`terminal = True, env = {"TERM": "vt100"}`, "kind of vt100."},
		{"terminal = False", "kind of ."},
	} {
		recipe := filepath.Join(t.TempDir(), "foo.star")
		text := `service(name = "foo", command = ["/bin/sh", "-c", "printf 'kind of %s.' $TERM"], ` + test.extra + ")\n"
		if err := os.WriteFile(recipe, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := onTerminal(t, []string{"TERM=vt220"}, "exec", recipe); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.extra, got, test.want)
		}
	}
}

// TestATerminalIsShownWhatADaemonWroteAndDoesNotObeyIt: through a pipe it is byte for byte.
func TestATerminalIsShownWhatADaemonWroteAndDoesNotObeyIt(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := []string{"RECIPE_LOG_DIR=" + folder, "RECIPE_RUNTIME_DIR=" + filepath.Join(folder, "run"), "RECIPE_STATE_DIR=" + folder}
	written := "a\tb\x1b[2Jc\x9bd é\n"
	if err := os.WriteFile(filepath.Join(folder, "foo.log"), []byte(written), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, more := range [][]string{{"-n", "5"}, {"--grep", "b"}} {
		args := append([]string{"logs", "foo"}, more...)
		if got, want := onTerminal(t, env, args...), "a\tb\\u001b[2Jc\uFFFDd é\r\n"; got != want {
			t.Errorf("%q: a terminal is shown %q, wanted %q", args, got, want)
		}
		cmd := exec.Command("/proc/self/exe", args...)
		cmd.Args[0] = "recipe"
		cmd.Env = append(os.Environ(), env...)
		if got, err := cmd.Output(); string(got) != written || err != nil {
			t.Errorf("%q: a pipe is given %q, %v", args, got, err)
		}
	}
}
