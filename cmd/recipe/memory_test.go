package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEvaluationIsBoundedInMemory: what doubles in a loop takes few steps, and must not take the host's memory either.
func TestEvaluationIsBoundedInMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recipe := filepath.Join(dir, "foo.star")
	text := "def grow():\n    s = \"a\"\n    for _ in range(60):\n        s = s + s\ngrow()\nservice(name = \"foo\", command = [\"/bin/true\"])\n"
	if err := os.WriteFile(recipe, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "run", recipe)
	cmd.Args[0] = "recipe"
	cmd.Env = append(os.Environ(), "RECIPE_RUNTIME_DIR="+filepath.Join(dir, "run"), "RECIPE_STATE_DIR="+filepath.Join(dir, "state"), "RECIPE_LOG_DIR="+filepath.Join(dir, "log"))
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "it needs more than 512 MiB of memory") || strings.Contains(string(out), "goroutine") {
		t.Errorf("%v: %.2000s", err, out)
	}
}
