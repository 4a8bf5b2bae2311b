package launch_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// shared is a folder that everybody may enter, with what all tests run: a copy of this binary and busybox's tools.
var shared string

// TestMain lets the test binary be other things than the tests: the native launcher, with RECIPE_TEST_NATIVE=PLAN and
// RECIPE_TEST_ROOT=DIR in its environment; a process that becomes another, with RECIPE_TEST_BECOME; and, called by the
// name of recorder, a daemon that prints how it was called.
func TestMain(m *testing.M) {
	if file := os.Getenv("RECIPE_TEST_NATIVE"); file != "" {
		os.Exit(native(file, os.Getenv("RECIPE_TEST_ROOT")))
	}
	if os.Getenv("RECIPE_TEST_BECOME") != "" {
		fmt.Fprintln(os.Stderr, become())
		os.Exit(1)
	}
	switch name := filepath.Base(os.Args[0]); {
	case name == "recorder":
		record(os.Stdout)
	case strings.HasSuffix(name, ".test"):
		os.Exit(tests(m))
	default:
		fmt.Fprintf(os.Stderr, "%s is not the tests: they must not run each other\n", name)
		os.Exit(1)
	}
}

func tests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "launch")
	if err == nil {
		defer os.RemoveAll(dir)
		shared = dir
		err = share()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func share() error {
	// Whoever runs the tests may have left descriptors open, which no sh can close above 9.
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return err
	}
	if err := os.Chmod(shared, 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(shared, "recorder"), data, 0o755); err != nil {
		return err
	}
	tools := filepath.Join(shared, "tools")
	if err := os.Mkdir(tools, 0o755); err != nil {
		return err
	}
	if busybox, err := exec.LookPath("busybox"); err == nil {
		return exec.Command(busybox, "--install", "-s", tools).Run()
	}
	return nil
}

// record prints arguments, environment and working directory, each argument and variable quoted on a line.
func record(out io.Writer) {
	for _, a := range os.Args {
		fmt.Fprintf(out, "argument %q\n", a)
	}
	for _, v := range os.Environ() {
		fmt.Fprintf(out, "variable %q\n", v)
	}
	dir, err := os.Getwd()
	fmt.Fprintf(out, "directory %q %v\n", dir, err)
}

// native does what `recipe exec` does.
func native(file, root string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p, err := plan.Decode(data)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	facts, err := expr.Host()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s := &p.Services[0]
	resolved, err := flags.Resolve(p, root, nil, facts)
	if err != nil {
		return launch.Insane(ctx, os.Stdout, s.Name, err, launch.Pause())
	}
	launch.Warn(os.Stderr, s.Name, resolved.Warnings)
	spec, err := launch.Resolve(p, s, resolved.Env)
	if err != nil {
		return launch.Insane(ctx, os.Stdout, s.Name, err, launch.Pause())
	}
	return launch.Exec(ctx, spec, launch.Pause())
}
