package interp

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// runtimeError translates an error of Starlark itself, which ended the module.
func (e *evaluation) runtimeError(err error) {
	var ee *starlark.EvalError
	if !errors.As(err, &ee) {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeEvaluation, At: diag.Span{File: e.name}, Message: err.Error()})
		return
	}
	if e.badCall(ee) {
		return
	}
	depth, word := blame(ee.CallStack)
	if depth == 0 && len(ee.CallStack) > 1 && strings.Contains(ee.Msg, callsItself) {
		depth = 1 // the call, and not where the function that it calls begins
	}
	frame := ee.CallStack.At(depth)
	d := e.recording.Explain(err)
	d.Severity, d.Word = diag.Error, word
	d.At = e.around(frame.Pos)
	d.Chain = frames(builtins.Chain(ee.CallStack, depth))
	switch {
	case e.recording.GivenUp():
		return
	case e.spent:
		if e.list.Failed() && e.list[len(e.list)-1].Code == CodeBudget {
			return
		}
		d.Code, d.Word, d.Hint = CodeBudget, "", "a recipe describes; look for a loop that counts too far"
		d.Message = fmt.Sprintf("the evaluation took more steps than the budget of %d", e.budget)
	case strings.Contains(d.Message, builtins.UnknownType) && e.list.Failed():
		return
	default:
		e.describe(&d, word)
	}
	e.add(d)
}

var badCallForm = pattern(`^function (\S+) (got an unexpected keyword argument "(.*)"|got multiple values for parameter "(.*)"|missing \d+ arguments? \((.*)\)|accepts .*)$`)

// badCall takes the errors of a call of an author's function that its parameters do not fit. Starlark gives them the
// place of the function; they belong to its caller.
func (e *evaluation) badCall(ee *starlark.EvalError) bool {
	m := badCallForm().FindStringSubmatch(ee.Msg)
	if m == nil || len(ee.CallStack) < 2 {
		return false
	}
	callee, caller := ee.CallStack.At(0), ee.CallStack.At(1)
	d := diag.Diagnostic{Severity: diag.Error, Code: CodeBadCall, Word: m[1], At: e.around(caller.Pos), Chain: frames(builtins.Chain(ee.CallStack, 1))}
	names, def := e.parameters(callee)
	d.Accepted = strings.Join(names, ", ")
	if def != nil {
		d.Related = []diag.Related{{At: span(def.Name), Label: "the function"}}
	}
	switch {
	case m[3] != "":
		d.Message = fmt.Sprintf("the function has no parameter %q", m[3])
	case m[4] != "":
		d.Message = fmt.Sprintf("the argument %s is given twice, by its place and by its name", m[4])
	case m[5] != "":
		d.Message, d.Hint = "the function is called without "+m[5], fmt.Sprintf("add %s = ...", strings.Split(m[5], ", ")[0])
	default:
		d.Message, d.Hint = "the function is called with too many arguments", "give those that it takes"
	}
	if keyword := m[3] + m[4]; keyword != "" {
		d.Found, d.Hint = keyword, plan.Nearest(keyword, names)
		if src := e.sources[caller.Pos.Filename()]; src != nil {
			if call, ok := src.at(caller.Pos).(*syntax.CallExpr); ok {
				if id, _ := argument(&builtins.Call{}, call, builtins.Part{Parameter: keyword, Index: -1, Keyword: true}); id != nil {
					d.At = span(id)
				}
			}
		}
	}
	e.add(d)
	return true
}

// parameters are those of the function that a frame runs, as it writes them, and its definition.
func (e *evaluation) parameters(frame starlark.CallFrame) ([]string, *syntax.DefStmt) {
	src := e.sources[frame.Pos.Filename()]
	if src == nil || src.file == nil {
		return nil, nil
	}
	var names []string
	var found *syntax.DefStmt
	syntax.Walk(src.file, func(n syntax.Node) bool {
		def, ok := n.(*syntax.DefStmt)
		if !ok || def.Name.Name != frame.Name || found != nil {
			return true
		}
		found = def
		for _, p := range def.Params {
			switch p := p.(type) {
			case *syntax.Ident:
				names = append(names, p.Name)
			case *syntax.BinaryExpr:
				names = append(names, p.X.(*syntax.Ident).Name)
			}
		}
		return true
	})
	return names, found
}

// callsItself is in what Starlark says of a function that calls itself.
const callsItself = "called recursively"

// blame finds the frame whose place a mistake is shown at: the innermost that was written by an author, and the word of
// Starlark that it called.
func blame(stack starlark.CallStack) (depth int, word string) {
	if len(stack) > 0 && stack.At(0).Pos.Line == 0 {
		word = stack.At(0).Name
	}
	for depth < len(stack)-1 && (stack.At(depth).Pos.Line == 0 || standard(stack.At(depth).Pos.Filename())) {
		depth++
	}
	return depth, word
}

// around is the span of the expression that runs at a position.
func (e *evaluation) around(pos syntax.Position) diag.Span {
	src := e.sources[pos.Filename()]
	if src == nil {
		return point(pos)
	}
	switch n := src.at(pos).(type) {
	case *syntax.CallExpr:
		if fn, ok := n.Fn.(*syntax.Ident); ok && builtins.IsGuard(fn.Name) {
			return span(n)
		}
		return span(n.Fn)
	case *syntax.DotExpr:
		return span(n.Name)
	case nil:
		return point(pos)
	default:
		return span(n)
	}
}
