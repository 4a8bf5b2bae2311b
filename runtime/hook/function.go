package hook

import (
	"context"
	"fmt"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Function calls a resolved script somewhere where it can do nothing but compute. It gives the steps, and of each the
// FILE:LINE that made it; neither is believed.
type Function func(ctx context.Context, s *plan.Script, u plan.Upgrade) (steps []plan.Step, places []string, err error)

// Upgrade is what a function is told in a phase of the package. Old is the version that was there before an upgrade, or "" where nobody says it.
func Upgrade(p *plan.Plan, phase plan.HookPhase, old string) plan.Upgrade {
	u := plan.Upgrade{Phase: phase, Package: p.Package.Name, NewVersion: p.Package.FullVersion()}
	switch phase {
	case plan.AfterUpgrade:
		u.OldVersion = old
	case plan.BeforeRemove:
		u.OldVersion, u.NewVersion = u.NewVersion, ""
	}
	return u
}

// Old is the version that the call says was there before, or "".
func (c *Call) Old() string {
	if c.Script == "postinst" && len(c.Args) > 1 && c.Args[0] == "configure" {
		return c.Args[1]
	}
	return ""
}

// Resolve has the function of a hook called, and gives the hook with the steps that it returned, which are sound. Paths
// reach the function without the root of the run: its steps are put below it like a recipe's.
func Resolve(ctx context.Context, p *plan.Plan, h *plan.Hook, env *expr.Env, u plan.Upgrade, call Function) (*plan.Hook, error) {
	bare := *env
	bare.Root = ""
	resolved, err := h.Script.Resolve(&bare)
	if err != nil {
		return nil, err
	}
	steps, places, err := call(ctx, resolved, u)
	if err != nil {
		return nil, err
	}
	returned, faulty, err := h.Returned(p, steps)
	if err == nil {
		return returned, nil
	}
	place := h.Script.Place()
	if faulty >= 0 && faulty < len(places) {
		place = places[faulty]
	}
	return nil, fmt.Errorf("%s: %w", place, err)
}
