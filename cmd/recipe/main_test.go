package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"recipe/cmd/recipe/cli"
)

// TestMain is the command as well: testscript starts this binary under the name recipe, and the command starts itself
// again as /proc/self/exe.
func TestMain(m *testing.M) {
	cli.Spawned(os.Args)
	command := func() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
	testscript.Main(m, map[string]func(){"recipe": command, "exe": command})
}

// TestTranscripts runs what an operator could type, as testdata/*.txtar tell it.
func TestTranscripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") == "1",
		Setup: func(e *testscript.Env) error {
			e.Setenv("RECIPE_RUNTIME_DIR", filepath.Join(e.WorkDir, "run"))
			e.Setenv("RECIPE_STATE_DIR", filepath.Join(e.WorkDir, "state"))
			e.Setenv("RECIPE_LOG_DIR", filepath.Join(e.WorkDir, "log"))
			e.Setenv("RECIPE_PAUSE", "0")
			e.Setenv("TZ", "UTC")
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			return os.Geteuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"supervisor": startSupervisor,
			"await":      await,
			"stale":      leaveStale,
			"code":       wantCode,
			"sha256":     sha256File,
		},
	})
}

// wantCode runs a command that must end with this exit code: code N COMMAND...
func wantCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exited, ok := err.(interface{ ExitCode() int }); ok {
		got = exited.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("the exit code is %d, not %s", got, args[0])
	}
}

// sha256File requires that a file holds the digest of another one, as sha256sum writes it: sha256 FILE DIGEST.
func sha256File(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sha256 FILE DIGEST")
	}
	want := fmt.Sprintf("%x\n", sha256.Sum256([]byte(ts.ReadFile(args[0]))))
	if got := ts.ReadFile(args[1]); got != want {
		ts.Fatalf("%s holds %q, want %q", args[1], got, want)
	}
}
