// Package e2e drives the built program as its users do: recipes from files, real daemons, signals at any instant. What
// the units promise one by one is seen here to hold together.
//
//	home_test.go      a set of folders, the program run in them, and what is left behind
//	process_test.go   processes of this machine, read from /proc
//	figures_test.go   what a supervisor uses, which has to be flat over the worst
//	..._test.go       one promise a file
//
// Everything lies in folders of its own and listens on free ports, so the tests run side by side. With -short the
// long ones are scaled down.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the built command line; food the tour's daemon; source the root of the module.
var program, food, source string

// roles are the daemons that this program is as well; none of them returns.
var roles = map[string]func(){"lines": writeLines, "tells": tellOfItself, "answers": answer, "loops": loop}

func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		if role := roles[os.Args[1]]; role != nil {
			role()
		}
	}
	if program = os.Getenv(insideName); program != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "recipe-e2e-")
	if err == nil {
		err = buildAll(dir)
	}
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, "cannot build what is tested:", err)
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// buildAll makes programs that any user may run.
func buildAll(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	var err error
	if source, err = filepath.Abs(".."); err != nil {
		return err
	}
	program, food = filepath.Join(dir, "recipe"), filepath.Join(dir, "food")
	for out, from := range map[string]string{program: "./cmd/recipe", food: "./recipes/foo/food"} {
		build := exec.Command("go", "build", "-o", out, from)
		build.Dir = source
		if text, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %s", err, text)
		}
	}
	return nil
}
