package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestExecEndsWithItsStep: a signal during a run step leaves no process of the step, which has a session of its own.
func TestExecEndsWithItsStep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recipe, pid := filepath.Join(dir, "foo.star"), filepath.Join(dir, "pid")
	text := `service(name = "foo", command = ["/bin/true"], prepare = [run(["/bin/sh", "-c", 'echo $$ >"$0.new"; mv "$0.new" "$0"; sleep 77', "` + pid + `"])])`
	if err := os.WriteFile(recipe, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	cmd := exec.Command("/proc/self/exe", "exec", recipe)
	cmd.Args[0] = "recipe"
	cmd.Stdout, cmd.Stderr = &stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	deadline := time.Now().Add(20 * time.Second)
	until := func(what string, done func() bool) {
		t.Helper()
		for !done() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s", what, stdout.String())
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	var step string
	until("the step never ran", func() bool {
		data, err := os.ReadFile(pid)
		step = strings.TrimSpace(string(data))
		return err == nil
	})
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 100 || !strings.Contains(stdout.String(), "cannot start foo: it was told to end by SIGTERM\n") {
		t.Errorf("exit code %d, %q", code, stdout.String())
	}
	if _, err := os.Stat("/proc/" + step); err == nil {
		t.Errorf("the step is still there, as process %s", step)
	}
}
