package builtins

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// runHooks declares one hook for each phase that is given.
func runHooks(r *Recording, a *arguments) starlark.Value {
	given := false
	for _, phase := range plan.HookPhases() {
		name := string(phase)
		if a.given(name) == nil {
			continue
		}
		given = true
		if a.call.Spoilt(Whole(name)) {
			continue
		}
		h := plan.Hook{Phase: phase, User: get[string](a, "user"), Strict: get[bool](a, "strict")}
		calls := hookCalls{self: a.call, phase: name}
		if f := get[*starlark.Function](a, name); f != nil {
			h.Script = &plan.Script{}
			r.kept = append(r.kept, Kept{Function: f, Into: h.Script, Steps: true, call: a.call, parameter: name})
		} else {
			h.Steps, calls.steps = stepList(a, name)
		}
		r.Hooks, r.hooks = append(r.Hooks, h), append(r.hooks, calls)
	}
	if !given {
		r.report(a.call, callee(), diag.Diagnostic{Code: plan.CodeMissing, Message: "these hooks have no phase", Accepted: "after_upgrade = [...] and the like"})
	}
	return starlark.None
}

// readHook reads a list of steps, or a function that returns one when it is called.
func readHook(it *item, v starlark.Value) any {
	if f, ok := v.(*starlark.Function); ok {
		return f
	}
	return stepsType.read(it, v)
}

// IsStep reports whether a word makes a step from nothing but its arguments, so that a function that is called later can
// use it.
func IsStep(word string) bool {
	return slices.ContainsFunc(steps(), func(w Word) bool { return w.Name == word })
}

// Returned are the steps of what a hook's function returned, and where each was made. The error says what else it is.
func Returned(v starlark.Value) (made []plan.Step, at []syntax.Position, err error) {
	switch v.(type) {
	case starlark.NoneType:
		return nil, nil, nil
	case *starlark.List, starlark.Tuple:
	default:
		return nil, nil, fmt.Errorf("it returned %s: a hook's function returns a list of steps, or None", show(v))
	}
	iter := starlark.Iterate(v)
	defer iter.Done()
	var x starlark.Value
	for iter.Next(&x) {
		h, ok := x.(*Handle)
		if !ok || !IsStep(h.word) {
			return nil, nil, fmt.Errorf("it returned a list with %s: a hook's function returns steps, which run, directory, template and the like make", show(x))
		}
		made, at = append(made, stepOf(h)), append(at, h.call.Site.Pos)
	}
	return made, at, nil
}
