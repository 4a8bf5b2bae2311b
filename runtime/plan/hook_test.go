package plan

import (
	"strings"
	"testing"

	"recipe/runtime/expr"
)

// TestAHookIsBoundedByItsSteps: what has a timeout counts with it, all else with a minute between them.
func TestAHookIsBoundedByItsSteps(t *testing.T) {
	t.Parallel()
	h := Hook{Phase: AfterInstall, Steps: []Step{
		{Run: &Run{Timeout: 300_000}}, {WaitFor: &WaitFor{Timeout: 5000}}, {Directory: &Directory{}}, {Directory: &Directory{}},
	}}
	if got := h.Bound(); got != 365_000 {
		t.Errorf("it is bounded by %s", got)
	}
}

// TestFlagsOfHooksAreFound, also those that another one's default names.
func TestFlagsOfHooksAreFound(t *testing.T) {
	t.Parallel()
	p := whole()
	p.Flags[1].Default = expr.FlagOf("port")
	h := Hook{Steps: []Step{{Run: &Run{Command: []expr.Expr{expr.TextOf("/x"), expr.FlagOf("workers")}}}, {Template: &Template{Text: expr.FlagOf("cache")}}}}
	if got := h.Flags(p); len(got) != 3 {
		t.Errorf("found %q", got)
	}
}

// TestReturnedStepsAreNotBelieved: what a function gave is held to the rules of a recipe's steps, and names the first that breaks them.
func TestReturnedStepsAreNotBelieved(t *testing.T) {
	t.Parallel()
	run := func(word expr.Expr, timeout Duration) Step {
		return Step{Run: &Run{Command: []expr.Expr{expr.TextOf("/bin/echo"), word}, Timeout: timeout}}
	}
	sound := run(expr.TextOf("x"), 1000)
	for name, test := range map[string]struct {
		steps  []Step
		faulty int
		want   string // in the error; "" is sound
	}{
		"sound":         {[]Step{sound, sound}, -1, ""},
		"nothing":       {nil, -1, ""},
		"no step":       {[]Step{sound, {}}, 1, "step"},
		"two in one":    {[]Step{{Run: sound.Run, RequireMemory: &RequireMemory{Size: expr.SizeOf(1)}}}, 0, "step"},
		"no account":    {[]Step{sound, {Directory: &Directory{Path: expr.PathOf("/var/lib/x"), Owner: "No Account", Mode: 0o755}}}, 1, "step.directory.owner"},
		"relative path": {[]Step{{Directory: &Directory{Path: expr.TextOf("x"), Mode: 0o755}}}, 0, "step.directory.path"},
		"a flag":        {[]Step{sound, run(expr.FlagOf("port"), 1000)}, 1, "reads a flag"},
		"too long":      {[]Step{run(expr.TextOf("x"), 3_000_000), run(expr.TextOf("x"), 3_000_000)}, -1, "shorter timeouts"},
	} {
		p := whole()
		h := &Hook{Phase: AfterUpgrade, User: "foo", Script: &Script{Function: "f"}}
		got, faulty, err := h.Returned(p, test.steps)
		if faulty != test.faulty || (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %d, %v", name, faulty, err)
		}
		if err == nil && (len(got.Steps) != len(test.steps) || got.User != "foo" || got.Script != nil) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
