package launch_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// TestMain lets the test binary be the native launcher: with RECIPE_TEST_NATIVE=PLAN and RECIPE_TEST_ROOT=DIR in its
// environment it does what `recipe exec` does.
func TestMain(m *testing.M) {
	if file := os.Getenv("RECIPE_TEST_NATIVE"); file != "" {
		os.Exit(native(file, os.Getenv("RECIPE_TEST_ROOT")))
	}
	os.Exit(m.Run())
}

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
	ctx := context.Background()
	s := &p.Services[0]
	resolved, err := flags.Resolve(p, root, nil, facts)
	if err != nil {
		return launch.Insane(ctx, os.Stdout, s.Name, err, launch.Pause())
	}
	spec, err := launch.Resolve(p, s, resolved.Env)
	if err != nil {
		return launch.Insane(ctx, os.Stdout, s.Name, err, launch.Pause())
	}
	return launch.Exec(ctx, spec, launch.Pause())
}
