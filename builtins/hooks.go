package builtins

import (
	"go.starlark.net/starlark"

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
		h.Steps, calls.steps = stepList(a, name)
		r.Hooks, r.hooks = append(r.Hooks, h), append(r.hooks, calls)
	}
	if !given {
		r.report(a.call, callee(), diag.Diagnostic{Code: plan.CodeMissing, Message: "these hooks have no phase", Accepted: "after_upgrade = [...] and the like"})
	}
	return starlark.None
}

// readHook reads a list of steps, and tells why a function is none.
func readHook(it *item, v starlark.Value) any {
	if _, ok := v.(starlark.Callable); ok {
		return it.fault(diag.Diagnostic{Code: plan.CodePortable, Message: it.parameter.Name + " is a function, and maintainer scripts are plain sh, which could not call it",
			Found: show(v), Accepted: "a list of steps", Hint: `write the steps out: [run(["/usr/bin/foo", "--reindex"])]; what has to be decided on the host is for the program that is run`})
	}
	return stepsType.read(it, v)
}
