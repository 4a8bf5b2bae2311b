package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// The codes of mistakes in a call.
const (
	CodeUnknownParameter = "unknown-parameter"
	CodeTooMany          = "too-many-arguments"
	CodeRepeated         = "repeated-argument"
	CodeInModule         = "declared-in-module"
	CodeHostValue        = "branch-on-host-value"
	CodeArithmetic       = "bad-arithmetic"
	CodeUnknownFact      = "unknown-fact"
	CodeTooLarge         = "too-large"
	CodeNote             = "note"
)

// builtin makes the Starlark function of a word.
func (w *Word) builtin() *starlark.Builtin {
	return starlark.NewBuiltin(w.Name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		r := recordingOf(thread)
		c := here(thread, w.Name)
		c.word = w
		if w.Declares && r.Loading > 0 {
			r.report(c, callee(), diag.Diagnostic{Code: CodeInModule, Message: "a loaded module cannot declare: only the recipe itself does",
				Hint: fmt.Sprintf("put the call of %s into a function, export that, and call it in the recipe", w.Name)})
			return unknown{}, nil
		}
		return w.run(r, w.unpack(r, c, args, kwargs)), nil
	})
}

// unpack reads the arguments by the word's table and reports every mistake in them.
func (w *Word) unpack(r *Recording, c *Call, args starlark.Tuple, kwargs []starlark.Tuple) *arguments {
	a := &arguments{recording: r, call: c, values: make([]any, len(w.Parameters)), raw: make([]starlark.Value, len(w.Parameters))}
	w.positional(r, a, args)
	w.named(r, a, kwargs)
	for i := range w.Parameters {
		p := &w.Parameters[i]
		it := item{recording: r, call: c, parameter: p, part: Whole(p.Name)}
		v := a.raw[i]
		if p.Rest {
			continue
		}
		if v == nil || v == starlark.None && !p.OrNone {
			a.raw[i] = nil
			v = p.Default
			if p.Required && !c.Spoilt(it.part) {
				r.report(c, callee(), p.missing())
				c.spoilt = spoilOnly(c.spoilt, it.part)
			}
			if p.Required || v == nil {
				continue
			}
		}
		a.values[i] = p.Type.readInto(&it, v)
		if len(p.Choices) > 0 {
			p.choose(&it, a.values[i])
		}
	}
	return a
}

func (p *Parameter) missing() diag.Diagnostic {
	accepted := p.Type.Accepted
	if len(p.Choices) > 0 {
		accepted = strings.Join(p.Choices, ", ")
	}
	return diag.Diagnostic{Code: plan.CodeMissing, Message: fmt.Sprintf("the argument %s is missing", p.Name), Accepted: accepted,
		Hint: fmt.Sprintf("add %s = ...: %s", p.Name, p.Doc)}
}

// spoilOnly replaces the mark on the whole call, which a missing argument is shown at, by one on the argument.
func spoilOnly(spoilt map[Part]bool, part Part) map[Part]bool {
	delete(spoilt, callee())
	spoilt[part] = true
	return spoilt
}

func (w *Word) positional(r *Recording, a *arguments, args starlark.Tuple) {
	c := a.call
	next := 0
	for i, v := range args {
		for next < len(w.Parameters) && !w.Parameters[next].Positional && !w.Parameters[next].Rest {
			next++
		}
		switch {
		case next == len(w.Parameters):
			w.tooMany(r, c, i, v)
			return
		case w.Parameters[next].Rest:
			p := &w.Parameters[next]
			it := item{recording: r, call: c, parameter: p, part: Part{Parameter: p.Name, Index: i, Element: -1}}
			rest, _ := a.values[next].([]any)
			a.values[next] = append(rest, p.Type.readInto(&it, v))
		default:
			a.raw[next] = v
			next++
		}
	}
}

func (w *Word) tooMany(r *Recording, c *Call, i int, v starlark.Value) {
	defer func() {
		for _, p := range w.Parameters {
			if !p.Positional {
				c.spoil(Whole(p.Name)) // the argument was meant for one of them
			}
		}
	}()
	if isUnknown(v) {
		return
	}
	d := diag.Diagnostic{Code: CodeTooMany, Message: "there are too many arguments without a name", Found: show(v), Accepted: w.Signature()}
	if i < len(w.Parameters) && !w.Parameters[i].Positional {
		d.Message = "this argument must be given by its name"
		d.Hint = fmt.Sprintf("write %s = ...", w.Parameters[i].Name)
	}
	r.report(c, Part{Index: i, Element: -1}, d)
}

func (w *Word) named(r *Recording, a *arguments, kwargs []starlark.Tuple) {
	for _, kv := range kwargs {
		name := string(kv[0].(starlark.String))
		i := w.find(name)
		switch {
		case i < 0:
			w.unknownParameter(r, a.call, name)
		case a.raw[i] != nil:
			r.report(a.call, Part{Parameter: name, Index: -1, Element: -1, Keyword: true},
				diag.Diagnostic{Code: CodeRepeated, Message: fmt.Sprintf("the argument %s is given twice, by its place and by its name", name), Hint: "leave one of them out"},
				Other{a.call, Part{Index: a.call.Position(name), Element: -1}, "by its place"})
		default:
			a.raw[i] = kv[1]
		}
	}
}

func (w *Word) find(name string) int {
	for i := range w.Parameters {
		if w.Parameters[i].Name == name && !w.Parameters[i].Rest {
			return i
		}
	}
	return -1
}

func (w *Word) unknownParameter(r *Recording, c *Call, name string) {
	names := []string{}
	for _, p := range w.Parameters {
		if !p.Rest {
			names = append(names, p.Name)
		}
	}
	hint := plan.Nearest(name, names)
	if other := spelledElsewhere(w.Name, name); other != "" {
		hint = other
	}
	r.report(c, Part{Parameter: name, Index: -1, Element: -1, Keyword: true}, diag.Diagnostic{Code: CodeUnknownParameter,
		Message: fmt.Sprintf("there is no parameter %q", name), Found: name, Accepted: strings.Join(names, ", "), Hint: hint})
	for _, n := range names {
		if hint != "" && (strings.Contains(hint, fmt.Sprintf("%q", n)) || strings.HasPrefix(hint, "write "+n+" =")) {
			c.spoil(Whole(n)) // what was meant is not missing as well
		}
	}
}

// choose holds a text to the choices of the parameter.
func (p *Parameter) choose(it *item, value any) {
	text, ok := value.(string)
	if !ok {
		return
	}
	for _, c := range p.Choices {
		if c == text {
			return
		}
	}
	hint := plan.Nearest(clip(text, 80), p.Choices)
	if other := typesElsewhere[text]; contains(p.Choices, other) {
		hint = fmt.Sprintf("write %q", other)
	}
	it.fault(diag.Diagnostic{Code: plan.CodeChoice, Message: fmt.Sprintf("this is no %s that %s takes", p.Name, it.call.Word), Found: fmt.Sprintf("%q", clip(text, 80)),
		Accepted: strings.Join(p.Choices, ", "), Hint: hint})
}
