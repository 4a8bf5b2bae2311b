package builtins

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// recipe is what evaluate returns: a Trial as a test holds it.
type recipe struct {
	*Trial
	in    *Recording
	words []Word
}

var _ starlark.HasAttrs = (*recipe)(nil)

func (v *recipe) String() string       { return "recipe" }
func (v *recipe) Type() string         { return "recipe" }
func (v *recipe) Freeze()              {}
func (v *recipe) Truth() starlark.Bool { return true }

// Hash refuses to be a key.
func (v *recipe) Hash() (uint32, error) { return 0, fmt.Errorf("a recipe cannot be a key") }

// Attr is an entry of TrialWords: its value, or the function that it is.
func (v *recipe) Attr(name string) (starlark.Value, error) {
	for i := range v.words {
		switch w := &v.words[i]; {
		case w.Name != "recipe."+name:
		case w.run != nil:
			return w.builtin(), nil
		default:
			return w.attribute(v.in), nil
		}
	}
	return nil, nil
}

// AttrNames are those of the table.
func (v *recipe) AttrNames() []string {
	var names []string
	for _, w := range v.words {
		names = append(names, strings.TrimPrefix(w.Name, "recipe."))
	}
	slices.Sort(names)
	return names
}

func runEvaluate(b Bench) func(*Recording, *arguments) starlark.Value {
	return func(r *Recording, a *arguments) starlark.Value {
		path := get[string](a, "recipe")
		declare := get[starlark.Callable](a, "recipe")
		facts := TestFacts()
		if given := get[*expr.Facts](a, "host"); given != nil {
			facts = *given
		}
		if len(a.call.spoilt) > 0 {
			return unknown{} // reported
		}
		t, fault := b.Evaluate(path, declare, get[[]string](a, "set"), facts)
		if fault != nil {
			r.report(a.call, Whole(fault.Parameter), fault.Diagnostic)
			return unknown{}
		}
		t.call = a.call
		return &recipe{Trial: t, in: r, words: TrialWords(t)}
	}
}

// missing says that the recipe has no such thing. While its errors have not been looked at they say so themselves.
func (t *Trial) missing(r *Recording, what string) starlark.Value {
	if !t.Unread() {
		r.report(r.operator(what), callee(), diag.Diagnostic{Code: CodeNoResult, Message: "the recipe is not sound, or its flags cannot be used, so there is none",
			Found: codesOf(t.List), Hint: "leave this out where errors are expected"})
	}
	return unknown{}
}

func (t *Trial) plan(r *Recording) starlark.Value {
	text, ok := t.json(r).(starlark.String)
	if !ok {
		return unknown{}
	}
	return decoded(r, string(text))
}

// decoded is JSON of ours as dicts and lists.
func decoded(r *Recording, text string) starlark.Value {
	v, err := starlark.Call(r.thread, json.Module.Members["decode"], starlark.Tuple{starlark.String(text)}, nil)
	if err != nil {
		return unknown{} // the thread was cancelled
	}
	v.Freeze()
	return v
}

func (t *Trial) json(r *Recording) starlark.Value {
	if t.Plan == nil {
		return t.missing(r, "recipe.plan")
	}
	data, err := t.Plan.Encode()
	if err != nil {
		return t.missing(r, "recipe.json")
	}
	return starlark.String(data)
}

func (t *Trial) digest(r *Recording) starlark.Value {
	if t.Plan == nil {
		return t.missing(r, "recipe.digest")
	}
	digest, err := t.Plan.Digest()
	if err != nil {
		return t.missing(r, "recipe.digest")
	}
	return starlark.String(digest)
}

func (t *Trial) errors(*Recording) starlark.Value {
	t.read = true
	return errorList(t.of(diag.Error))
}

func (t *Trial) warnings(*Recording) starlark.Value { return errorList(t.of(diag.Warning)) }

func (t *Trial) of(severity diag.Severity) diag.List {
	return slices.DeleteFunc(slices.Clone(t.List), func(d diag.Diagnostic) bool { return d.Severity != severity })
}

// errorList is diagnostics as a test sees them.
func errorList(list diag.List) starlark.Value {
	var all []starlark.Value
	for _, d := range list {
		all = append(all, starlarkstruct.FromStringDict(starlark.String(d.Severity), starlark.StringDict{
			"code": starlark.String(d.Code), "word": starlark.String(d.Word), "message": starlark.String(d.Message), "found": starlark.String(d.Found),
			"accepted": starlark.String(d.Accepted), "hint": starlark.String(d.Hint), "file": starlark.String(d.At.File),
			"line": starlark.MakeInt(d.At.Line), "column": starlark.MakeInt(d.At.Column),
		}))
	}
	return starlark.NewList(all)
}

func (t *Trial) flags(r *Recording) starlark.Value {
	if t.Resolved == nil {
		return t.missing(r, "recipe.flags")
	}
	d := starlark.NewDict(len(t.Plan.Flags))
	for _, f := range t.Plan.Flags {
		if v, ok := t.Resolved.Env.Flags[f.Name]; ok {
			d.SetKey(starlark.String(f.Name), flagValue(v))
		}
	}
	return d
}

// flagValue is a value as the plan would write it.
func flagValue(v expr.Value) starlark.Value {
	switch v.Kind {
	case expr.Int:
		return starlark.MakeInt64(v.Int)
	case expr.Bool:
		return starlark.Bool(v.Int != 0)
	case expr.Size:
		return starlark.String(expr.FormatSize(v.Int))
	case expr.Duration:
		return starlark.String(expr.FormatDuration(v.Int))
	case expr.List:
		var list []starlark.Value
		for _, e := range v.Elements() {
			list = append(list, starlark.String(e))
		}
		return starlark.NewList(list)
	}
	return starlark.String(v.Text)
}

// chosen is the service that a call names, or the only one. It is nil when there is none, which was reported.
func (t *Trial) chosen(r *Recording, a *arguments) *plan.Service {
	if t.Plan == nil {
		t.missing(r, a.call.Word)
		return nil
	}
	var all []*plan.Service
	for i := range t.Plan.Services {
		all = append(all, &t.Plan.Services[i])
	}
	return named(r, a, all, "service")
}

// started is the service or task that a call names, or the only service, or the only task where there is no service.
func (t *Trial) started(r *Recording, a *arguments) *plan.Service {
	if t.Plan == nil {
		t.missing(r, a.call.Word)
		return nil
	}
	all := t.Plan.Launches()
	if a.given("service") == nil && len(t.Plan.Services) > 0 {
		all = all[:len(t.Plan.Services)]
	}
	return named(r, a, all, "service")
}

// named is the one of that name, or the only one where a call names none.
func named(r *Recording, a *arguments, all []*plan.Service, kind string) *plan.Service {
	name := get[string](a, kind)
	var names []string
	for _, s := range all {
		if s.Name == name || a.given(kind) == nil && len(all) == 1 {
			return s
		}
		names = append(names, s.Name)
	}
	d := diag.Diagnostic{Code: plan.CodeUndeclared, Message: "there is no such " + kind, Found: fmt.Sprintf("%q", name), Accepted: cmp.Or(strings.Join(names, ", "), "none: the recipe declares no "+kind), Hint: plan.Nearest(name, names)}
	part := Whole(kind)
	if a.given(kind) == nil {
		d.Code, d.Message, d.Found, part = plan.CodeMissing, fmt.Sprintf("there is more than one %s, or none: name it", kind), "", callee()
	}
	r.report(a.call, part, d)
	return nil
}

// resolved is what the host makes of what a call names; nil when there is none, which was reported.
func (t *Trial) resolved(r *Recording, a *arguments) *ResolvedService {
	s := t.started(r, a)
	if s == nil {
		return nil
	}
	if t.Resolved == nil {
		t.missing(r, a.call.Word)
		return nil
	}
	return t.Resolved.Services[s.Name]
}

func (t *Trial) service(r *Recording, a *arguments) starlark.Value {
	s := t.chosen(r, a)
	if s == nil {
		return unknown{}
	}
	return t.fields(r, func(p *plan.Plan) { p.Services = []plan.Service{*s} }, "services")
}

func (t *Trial) task(r *Recording, a *arguments) starlark.Value {
	if t.Plan == nil {
		return t.missing(r, a.call.Word)
	}
	var all []*plan.Service
	for i := range t.Plan.Tasks {
		all = append(all, t.Plan.Tasks[i].Launched())
	}
	s := named(r, a, all, "task")
	if s == nil {
		return unknown{}
	}
	return t.fields(r, func(p *plan.Plan) { p.Tasks = []plan.Task{*t.Plan.Task(s.Name)} }, "tasks")
}

// fields are those of the first item of a list of the plan, which keep leaves alone in it.
func (t *Trial) fields(r *Recording, keep func(*plan.Plan), list string) starlark.Value {
	p := *t.Plan
	keep(&p)
	data, err := p.Encode()
	if err != nil {
		return unknown{}
	}
	d, ok := decoded(r, string(data)).(*starlark.Dict)
	if !ok {
		return unknown{}
	}
	v, _, _ := d.Get(starlark.String(list))
	return v.(*starlark.List).Index(0)
}

func (t *Trial) command(r *Recording, a *arguments) starlark.Value {
	s := t.resolved(r, a)
	if s == nil {
		return unknown{}
	}
	var words []starlark.Value
	for _, w := range s.Command {
		words = append(words, starlark.String(w))
	}
	return starlark.NewList(words)
}

func (t *Trial) env(r *Recording, a *arguments) starlark.Value {
	s := t.resolved(r, a)
	if s == nil {
		return unknown{}
	}
	d := starlark.NewDict(len(s.Env))
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		d.SetKey(starlark.String(name), starlark.String(s.Env[name]))
	}
	return d
}

func (t *Trial) template(r *Recording, a *arguments) starlark.Value {
	if t.Resolved == nil {
		return t.missing(r, a.call.Word)
	}
	path := get[string](a, "path")
	var paths []string
	for _, s := range t.Plan.Launches() {
		for p, text := range t.Resolved.Services[s.Name].Templates {
			if p == path {
				return starlark.String(text)
			}
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	if !a.call.Spoilt(Whole("path")) {
		r.report(a.call, Whole("path"), diag.Diagnostic{Code: plan.CodeUndeclared, Message: "no template of a service or a task has this path", Found: fmt.Sprintf("%q", path),
			Accepted: cmp.Or(strings.Join(slices.Compact(paths), ", "), "none: there is no template"), Hint: plan.Nearest(path, paths)})
	}
	return unknown{}
}

func (t *Trial) probes(r *Recording, a *arguments) starlark.Value {
	s := t.chosen(r, a)
	if s == nil {
		return unknown{}
	}
	if t.Resolved == nil {
		return t.missing(r, a.call.Word)
	}
	service, ok := t.service(r, a).(*starlark.Dict)
	if !ok {
		return unknown{}
	}
	var all []starlark.Value
	if list, found, _ := service.Get(starlark.String("probes")); found {
		for i := range s.Probes {
			all = append(all, &probed{Probed: Probed{t.Plan, s, &s.Probes[i], t.Resolved.Env}, fields: list.(*starlark.List).Index(i).(*starlark.Dict)})
		}
	}
	return starlark.NewList(all)
}
