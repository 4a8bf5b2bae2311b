package main

import (
	"os"
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
