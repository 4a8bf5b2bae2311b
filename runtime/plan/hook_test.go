package plan

import (
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
