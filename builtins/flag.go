package builtins

import (
	"fmt"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func runFlag(r *Recording, a *arguments) starlark.Value {
	f := plan.Flag{
		Name: get[string](a, "name"), Type: plan.FlagType(get[string](a, "type")), Help: get[string](a, "help"), Unit: get[string](a, "unit"), Values: get[[]string](a, "values"),
		Pattern: get[string](a, "pattern"), Secret: get[bool](a, "secret"), Deprecated: get[string](a, "deprecated"), RenamedFrom: get[[]string](a, "renamed_from"),
	}
	if f.Type == "" && f.Secret && !a.call.Spoilt(Whole("type")) {
		f.Type = plan.FlagString
	}
	if !f.Secret {
		needed(r, a, "type", "default")
	}
	kind, ok := f.Type.Kind()
	if !ok || f.Name == "" {
		return unknown{} // reported; what the flag comes to cannot be known
	}
	f.Min, f.Max = bound(r, a, "min", f.Type, kind), bound(r, a, "max", f.Type, kind)
	if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
		r.report(a.call, Whole("min"), diag.Diagnostic{Code: plan.CodeRange, Message: "min is above max", Found: fmt.Sprintf("%s and %s", show(a.given("min")), show(a.given("max")))},
			Other{a.call, Whole("max"), "max"})
		a.call.spoil(Whole("default"))
	}
	if f.Type == plan.FlagEnum && len(f.Values) == 0 {
		if !a.call.Spoilt(Whole("values")) {
			r.report(a.call, Whole("values"), diag.Diagnostic{Code: plan.CodeMissing, Message: "an enum needs its values", Accepted: `values = ["a", "b"]`})
		}
		a.call.spoil(Whole("default"))
	}
	f.Apply = plan.Apply{Action: plan.ApplyRestart}
	if apply := get[*plan.Apply](a, "apply"); apply != nil {
		f.Apply = *apply
	}
	if v := a.given("default"); v != nil && !a.call.Spoilt(Whole("default")) {
		it := item{recording: r, call: a.call, parameter: &a.call.word.Parameters[a.index("default")], part: Whole("default")}
		f.Default, _ = readDefault(&it, v, f.Type, kind).(expr.Expr)
	}
	if f.Default.IsZero() && !f.Secret {
		a.call.spoil(Whole("default"))
		f.Default = expr.TextOf("")
	}
	r.Flags = append(r.Flags, f)
	r.flags = append(r.flags, a.call)
	return leaf(r, expr.FlagOf(f.Name), kind)
}

// needed reports the parameters that are left out, which only some calls may.
func needed(r *Recording, a *arguments, names ...string) {
	for _, name := range names {
		part := Whole(name)
		if a.given(name) == nil && !a.call.Spoilt(part) {
			r.report(a.call, callee(), a.call.word.Parameters[a.index(name)].missing())
			a.call.spoilt = spoilOnly(a.call.spoilt, part)
		}
	}
}

// readDefault reads the default of a flag as a value of the flag's kind: sizes, durations and paths are texts.
func readDefault(it *item, v starlark.Value, t plan.FlagType, kind expr.Kind) any {
	if host, ok := v.(*Value); ok {
		if host.kind == kind {
			return host.expr
		}
		return it.mismatch(v, "a value of type "+string(t), "")
	}
	as := *it
	parameter := *it.parameter
	as.parameter = &parameter
	switch kind {
	case expr.Int:
		parameter.Type = intType
		if t == plan.FlagPort {
			return readPort(&as, v)
		}
		if n, ok := readInt(&as, v).(int64); ok {
			return expr.IntOf(n)
		}
	case expr.Bool:
		parameter.Type = boolType
		if b, ok := readBool(&as, v).(bool); ok {
			return expr.BoolOf(b)
		}
	case expr.Size:
		parameter.Type = sizeType
		if n, ok := readSize(&as, v).(plan.Size); ok {
			return expr.SizeOf(int64(n))
		}
	case expr.Duration:
		parameter.Type = durationType
		if n, ok := readDuration(&as, v).(plan.Duration); ok {
			return expr.DurationOf(int64(n))
		}
	case expr.Path:
		parameter.Type = pathType
		return readPath(&as, v)
	case expr.List:
		parameter.Type = &Type{"list of texts", `texts, as in ["a", "b"]`, nil}
		return readElements(&as, v)
	case expr.Text:
		parameter.Type = textType
		if s, ok := readText(&as, v).(string); ok {
			return expr.TextOf(s)
		}
	}
	return nil
}

// readElements reads the default of a list: texts that are known now, without commas.
func readElements(it *item, v starlark.Value) any {
	list, ok := elements[string](it, v, func(e *item, x starlark.Value) any {
		s, ok := x.(starlark.String)
		if !ok {
			return e.mismatch(x, "a text that is known now", "")
		}
		if err := expr.CheckElement(string(s)); err != nil {
			return e.fault(diag.Diagnostic{Code: plan.CodeText, Message: "an element of the list " + err.Error(), Found: show(x),
				Accepted: "a text of one line without commas, and without white space at its ends"})
		}
		return string(s)
	})
	if !ok || it.call.Spoilt(Whole("default")) {
		return nil
	}
	return expr.ListOf(list...)
}

// bound reads min or max: a number for an int, a port, a string or a list, a text with a unit for a size or a duration.
func bound(r *Recording, a *arguments, name string, t plan.FlagType, kind expr.Kind) *int64 {
	v := a.given(name)
	if v == nil || a.call.Spoilt(Whole(name)) {
		return nil
	}
	parameter := a.call.word.Parameters[a.index(name)]
	it := item{recording: r, call: a.call, parameter: &parameter, part: Whole(name)}
	var n int64
	var ok bool
	if t == plan.FlagString || kind == expr.List {
		kind = expr.Int
	}
	switch kind {
	case expr.Int:
		parameter.Type = intType
		n, ok = readInt(&it, v).(int64)
	case expr.Size:
		parameter.Type = sizeType
		n, ok = units(&it, v, expr.ParseSize, "MiB")
	case expr.Duration:
		parameter.Type = durationType
		n, ok = units(&it, v, expr.ParseDuration, "s")
	default:
		it.fault(diag.Diagnostic{Code: plan.CodeKind, Message: fmt.Sprintf("a flag of type %s has no %s", t, name), Hint: "int, port, size, duration, string and list have; an enum has values"})
	}
	if !ok {
		return nil
	}
	return &n
}
