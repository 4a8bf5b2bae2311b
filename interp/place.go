package interp

import (
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// add takes a diagnostic whose place is known: its source line is looked up, and the loads that led there are named.
func (e *evaluation) add(d diag.Diagnostic) {
	if len(e.list) >= mostDiagnostics {
		return
	}
	if src := e.sources[d.At.File]; src != nil && d.Source == "" {
		d.Source = src.line(d.At.Line)
	}
	for i := len(e.stack) - 1; i > 0; i-- {
		d.Chain = append(d.Chain, diag.Frame{Name: "loading " + e.stack[i].key, At: e.stack[i].at})
	}
	for i := range d.Related {
		if src := e.sources[d.Related[i].At.File]; src != nil {
			d.Related[i].Source = src.line(d.Related[i].At.Line)
		}
	}
	for _, text := range []*string{&d.Message, &d.Found, &d.Accepted, &d.Hint, &d.Word} {
		*text = clipped(*text)
	}
	e.list = append(e.list, d)
}

// clipped cuts a text at the end of a character. What shows diagnostics shows less of it.
func clipped(text string) string {
	if len(text) <= mostMessage {
		return text
	}
	end := mostMessage
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + "..."
}

// drain takes over the mistakes that the words recorded.
func (e *evaluation) drain() {
	for _, m := range e.recording.Mistakes {
		d := m.Diagnostic
		d.At = e.locate(m.Call, m.Part)
		d.Chain = frames(m.Call.Site.Chain)
		if d.Fix != nil {
			d.Fix = e.replaced(m.Call, m.Part, d.Fix.New)
		}
		for _, other := range m.Related {
			d.Related = append(d.Related, diag.Related{At: e.locate(other.Call, other.Part), Label: other.Label})
		}
		e.add(d)
	}
	e.recording.Mistakes = nil
}

func frames(chain []starlark.CallFrame) []diag.Frame {
	var list []diag.Frame
	for _, f := range chain {
		list = append(list, diag.Frame{Name: f.Name + " called", At: point(f.Pos)})
	}
	return list
}

// mostProblems bounds what is looked up for a list that shows fewer.
const mostProblems = 1000

// validate judges the plan and maps each problem to the argument that gave the field. What follows from a mistake that
// was reported is left out.
func (e *evaluation) validate(p *plan.Plan) {
	failed := e.list.Failed()
	if e.recording.GivenUp() {
		return
	}
	for i, problem := range p.Validate() {
		if i == mostProblems {
			break
		}
		if failed && (problem.Code == plan.CodeUndeclared || problem.Code == plan.CodeApply || problem.Path == "name") {
			continue
		}
		d := diag.Diagnostic{Severity: diag.Error, Code: problem.Code, Message: problem.Message, Found: problem.Found, Accepted: problem.Accepted, Hint: problem.Hint}
		if d.Hint == "" {
			d.Hint = hints[d.Code]
		}
		call, part := e.recording.Origin(problem.Path)
		if call == nil {
			d.At.File, d.Word = e.name, problem.Path
			e.add(d)
			continue
		}
		if call.Spoilt(part) {
			continue
		}
		d.Word, d.At, d.Chain = call.Word, e.locate(call, part), frames(call.Site.Chain)
		for _, other := range problem.Related {
			if call, part := e.recording.Origin(other.Path); call != nil {
				d.Related = append(d.Related, diag.Related{At: e.locate(call, part), Label: other.Label})
			}
		}
		e.add(d)
	}
}

// hints say what to do about problems that plan.Validate leaves without a hint of their own.
var hints = map[string]string{
	plan.CodeCycle:      "leave one of them out of after",
	plan.CodeUndeclared: "declare it, or name one that is",
}

// locate finds the part of a call in the source. Where the part is not written out, the nearest thing that is.
func (e *evaluation) locate(c *builtins.Call, part builtins.Part) diag.Span {
	src := e.sources[c.Site.Pos.Filename()]
	if src == nil {
		return point(c.Site.Pos)
	}
	call, ok := src.at(c.Site.Pos).(*syntax.CallExpr)
	if !ok {
		return e.around(c.Site.Pos)
	}
	if part.Function || c.Site.Indirect {
		return e.around(c.Site.Pos)
	}
	if keyword, value := argument(c, call, part); value != nil {
		if part.Keyword && part.Key == "" && keyword != nil {
			return span(keyword)
		}
		return span(item(value, part))
	}
	return span(call.Fn)
}

// argument finds an argument by its name or place; one that came through a star is the star's.
func argument(c *builtins.Call, call *syntax.CallExpr, part builtins.Part) (keyword *syntax.Ident, value syntax.Expr) {
	name, place := part.Parameter, part.Index
	switch {
	case part.Keyword && part.Key == "":
		place = -1
	case place < 0:
		place = c.Position(name)
	case c.Site.Parameters != nil: // the place is one in the library's call
		name, place = part.Parameter, c.Position(part.Parameter)
	}
	var star syntax.Expr
	for i, a := range call.Args {
		switch a := a.(type) {
		case *syntax.BinaryExpr:
			if a.Op == syntax.EQ {
				if id := a.X.(*syntax.Ident); id.Name == name {
					return id, a.Y
				}
				continue
			}
		case *syntax.UnaryExpr:
			if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
				star = a
				continue
			}
		}
		if i == place {
			return nil, a
		}
	}
	return nil, star
}

// item finds the element of a list or the entry of a dict that is written out.
func item(value syntax.Expr, part builtins.Part) syntax.Node {
	var list []syntax.Expr
	switch v := value.(type) {
	case *syntax.ParenExpr:
		return item(v.X, part)
	case *syntax.ListExpr:
		list = v.List
	case *syntax.TupleExpr:
		list = v.List
	case *syntax.DictExpr:
		for _, entry := range v.List {
			entry := entry.(*syntax.DictEntry)
			if key, ok := entry.Key.(*syntax.Literal); ok && part.Key != "" && key.Value == part.Key {
				if part.Keyword {
					return key
				}
				return entry.Value
			}
		}
	}
	if part.Element >= 0 && part.Element < len(list) {
		return list[part.Element]
	}
	return value
}
