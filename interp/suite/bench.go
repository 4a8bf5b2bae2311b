package suite

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// bench is what the words of one test stand on.
type bench struct {
	file     File
	options  Options
	script   *interp.Script
	coverage *interp.Coverage
	trials   []*builtins.Trial
	written  []Golden
}

// Evaluate evaluates a recipe and resolves it.
func (b *bench) Evaluate(name string, declare starlark.Callable, sets []string, facts expr.Facts) (*builtins.Trial, *builtins.Fault) {
	t := &builtins.Trial{}
	if declare != nil {
		t.Plan, t.List = b.script.Declared(declare)
	} else {
		key := path.Clean(strings.TrimPrefix(name, "//"))
		if !local(key) {
			return nil, outside("recipe", name, "a recipe lies in the folder of its test, or below it")
		}
		var err error
		if t.Plan, t.List, err = b.script.Evaluate(key); err != nil {
			return nil, unreadable("recipe", name, err)
		}
	}
	b.trials = append(b.trials, t)
	if t.Plan != nil {
		b.resolve(t, sets, facts)
	}
	return t, nil
}

func (b *bench) resolve(t *builtins.Trial, sets []string, facts expr.Facts) {
	resolved, err := b.options.Runtime.Resolve(t.Plan, sets, facts)
	if err == nil {
		t.Resolved = resolved
		return
	}
	for _, line := range lines(err) {
		t.List = append(t.List, diag.Diagnostic{Severity: diag.Error, Code: interp.CodeUnresolved, Message: line})
	}
}

// Judge has a probe judge what is given in place of the service.
func (b *bench) Judge(p builtins.Probed, given builtins.Given) string {
	if err := b.options.Runtime.Judge(p, given); err != nil {
		return err.Error()
	}
	return ""
}

// Keep is a function as the plan of a recipe keeps it.
func (b *bench) Keep(f *starlark.Function) (*plan.Script, error) { return b.script.Kept(f) }

// Catch calls a function that is expected to fail.
func (b *bench) Catch(f starlark.Callable) diag.List {
	before := len(b.trials)
	caught := b.script.Catch(f)
	caught = append(caught, b.unread(b.trials[before:])...)
	b.trials = b.trials[:before]
	return caught
}

// Golden compares a text with a file below testdata.
func (b *bench) Golden(name, text string) *builtins.Fault {
	key := path.Join(GoldenFolder, name)
	if !local(name) || path.Clean(name) != name {
		return outside("name", name, "a golden file lies below testdata, in the test's folder")
	}
	have, err := b.script.Read(key)
	switch {
	case err == nil && string(have) == text:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return unreadable("name", key, err)
	case b.options.Update:
		b.written = append(b.written, Golden{key, text})
		return nil
	}
	d := diag.Diagnostic{Code: builtins.CodeGolden, Message: "the text is not that of " + key, Hint: "look at the difference; `recipe test --update` takes it over"}
	if err != nil {
		d.Message, d.Hint = "there is no "+key, "`recipe test --update` writes it"
		return &builtins.Fault{Parameter: "name", Diagnostic: d}
	}
	d.Lines = builtins.Difference(text, string(have))
	return &builtins.Fault{Parameter: "text", Diagnostic: d}
}

// conclude adds the errors of recipes that the test did not look at.
func (b *bench) conclude() { b.script.Say(b.unread(b.trials)...) }

func (b *bench) unread(trials []*builtins.Trial) diag.List {
	var list diag.List
	for _, t := range trials {
		if !t.Unread() {
			continue
		}
		for _, d := range t.List {
			if d.Severity == diag.Error {
				list = append(list, b.script.From(d, t.Call()))
			}
		}
	}
	return list
}

func local(key string) bool { return fs.ValidPath(key) && !strings.ContainsAny(key, "\x00\\") }

func outside(parameter, name, why string) *builtins.Fault {
	return &builtins.Fault{Parameter: parameter, Diagnostic: diag.Diagnostic{Code: plan.CodePath, Message: why, Found: fmt.Sprintf("%q", name), Accepted: "a path from there, without .."}}
}

func unreadable(parameter, name string, err error) *builtins.Fault {
	return &builtins.Fault{Parameter: parameter, Diagnostic: diag.Diagnostic{Code: interp.CodeCannotRead, Message: err.Error(), Found: fmt.Sprintf("%q", name)}}
}

var _ builtins.Bench = (*bench)(nil)
