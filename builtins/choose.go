package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// The types of what decides.
var (
	truthType   = &Type{"truth", "a comparison of flags and facts of the host, a flag of type bool, True or False", readAny} // starlark.Value
	choicesType = &Type{"dict", `choices and their results, as in {"x86_64": "amd64"}`, readAny}                             // starlark.Value
)

// runCond chooses by a truth: at once by one that is known now, else on the host.
func runCond(r *Recording, a *arguments) starlark.Value {
	test, then, otherwise := a.given("test"), a.given("then"), a.given("otherwise")
	if test == nil || isUnknown(test) || !a.sound("then", "otherwise") {
		return unknown{}
	}
	branches := []starlark.Value{then, otherwise}
	values, err := alike(branches)
	if err != nil {
		return a.refused(callee(), err)
	}
	switch test := test.(type) {
	case starlark.Bool:
		if test {
			return chosen(r, branches, values, 0)
		}
		return chosen(r, branches, values, 1)
	case *Value:
		if test.kind == expr.Bool {
			return a.made(r, expr.OpCond, append([]*Value{test}, values...), values[0].kind)
		}
		return a.refused(Whole("test"), noTruth(test))
	}
	r.report(a.call, Whole("test"), diag.Diagnostic{Code: plan.CodeKind, Message: "cond decides by a truth", Found: show(test),
		Accepted: "a comparison, a flag of type bool, True or False, and and, or, not of these"})
	return unknown{}
}

// noTruth refuses a value of the host that is neither true nor false.
func noTruth(v *Value) error {
	hint := fmt.Sprintf("write what it must be: %s != 0", v)
	switch v.kind {
	case expr.Size, expr.Duration:
		hint = fmt.Sprintf("write what it must be: %s > %s", v, notation(literal(v.kind, 0)))
	case expr.Text, expr.Path:
		hint = fmt.Sprintf(`write what it must be: %s != ""`, v)
	}
	return &refusal{code: plan.CodeKind, message: fmt.Sprintf("%s is of type %s, which is neither true nor false", v, v.kind), hint: hint}
}

// runSelect looks a value up among choices: at once one that is known now, else on the host.
func runSelect(r *Recording, a *arguments) starlark.Value {
	of, given := a.given("value"), a.given("choices")
	dict, ok := given.(*starlark.Dict)
	if given == nil || isUnknown(given) || !a.sound("value") || a.call.Spoilt(Whole("default")) {
		return unknown{}
	}
	if !ok || dict.Len() == 0 {
		r.report(a.call, Whole("choices"), diag.Diagnostic{Code: plan.CodeKind, Message: "select takes its choices and their results in a dict", Found: show(given),
			Accepted: `{"x86_64": "amd64", "aarch64": "arm64"}`})
		return unknown{}
	}
	var results []starlark.Value
	for _, kv := range dict.Items() {
		results = append(results, kv[1])
	}
	if v := a.given("default"); v != nil {
		results = append(results, v)
	}
	if anyUnknown(results...) {
		return unknown{}
	}
	values, err := alike(results)
	if err != nil {
		return a.refused(Whole("choices"), err)
	}
	switch of := of.(type) {
	case *Value:
		return r.selectOnHost(a, of, dict, values)
	case *Handle:
		return a.refused(Whole("value"), notSelected(of, expr.Path))
	}
	for i, key := range dict.Keys() {
		if ok, err := starlark.Equal(of, key); ok && err == nil {
			return chosen(r, results, values, i)
		}
	}
	if len(results) > dict.Len() {
		return chosen(r, results, values, dict.Len())
	}
	r.report(a.call, Whole("value"), diag.Diagnostic{Code: plan.CodeChoice, Message: "none of the choices is this, and there is no default", Found: show(of),
		Accepted: list(dict), Hint: "default = ... is the result for every other value"})
	return unknown{}
}

func (r *Recording) selectOnHost(a *arguments, of *Value, dict *starlark.Dict, results []*Value) starlark.Value {
	if of.kind != expr.Text && of.kind != expr.Int && of.kind != expr.Bool {
		return a.refused(Whole("value"), notSelected(of, of.kind))
	}
	values := []*Value{of}
	for i, key := range dict.Keys() {
		at := Whole("choices")
		if text, ok := starlark.AsString(key); ok {
			at.Key, at.Keyword = text, true
		}
		choice, err := member(key, of.kind)
		if err == nil && choice.kind != of.kind {
			err = &refusal{code: plan.CodeKind, message: fmt.Sprintf("a choice of select is of type %s, and %s of type %s", choice.kind, of, of.kind)}
		}
		if err == nil {
			err = r.never(of, choice)
		}
		if err != nil {
			return a.refused(at, err)
		}
		values = append(values, choice, results[i])
	}
	if len(results) > dict.Len() {
		values = append(values, results[dict.Len()])
	} else if missing := r.uncovered(of, dict); missing != "" {
		r.report(a.call, Whole("choices"), diag.Diagnostic{Code: plan.CodeMissing, Message: fmt.Sprintf("%s may be %s, for which there is no result", of, missing), Found: list(dict),
			Hint: "add it, or default = ... for every other value"})
		return unknown{}
	}
	return a.made(r, expr.OpSelect, values, results[0].kind)
}

func notSelected(of starlark.Value, kind expr.Kind) error {
	return &refusal{code: plan.CodeKind, message: fmt.Sprintf("select chooses by a text, an int or a bool, and %s is of type %s", of, kind),
		hint: "cond(a > b, then, otherwise) decides by a comparison"}
}

// sound reports whether required arguments are there, and as they should be.
func (a *arguments) sound(names ...string) bool {
	for _, name := range names {
		if a.values[a.index(name)] == nil {
			return false
		}
	}
	return true
}

// uncovered is a value that a flag may have and that is no choice, or "".
func (r *Recording) uncovered(of *Value, dict *starlark.Dict) string {
	var all []starlark.Value
	for _, v := range r.enum(of.expr) {
		all = append(all, starlark.String(v))
	}
	if of.kind == expr.Bool {
		all = []starlark.Value{starlark.True, starlark.False}
	}
	for _, v := range all {
		if _, found, err := dict.Get(v); err == nil && !found {
			return v.String()
		}
	}
	return ""
}

// list writes the choices of a dict.
func list(dict *starlark.Dict) string {
	var keys []string
	for _, k := range dict.Keys() {
		keys = append(keys, clip(k.String(), 40))
	}
	return clip(strings.Join(keys, ", "), 200)
}
