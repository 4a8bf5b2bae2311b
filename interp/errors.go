package interp

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/interp/diag"
)

// syntaxError translates what the parser says: it stops at the first.
func (e *evaluation) syntaxError(err error) {
	d := diag.Diagnostic{Severity: diag.Error, Code: CodeSyntax, Message: "this cannot be read"}
	var se syntax.Error
	if !errors.As(err, &se) {
		d.Message = err.Error()
		e.add(d)
		return
	}
	d.At = point(se.Pos)
	if found, accepted, ok := strings.Cut(strings.TrimPrefix(se.Msg, "got "), ", want "); ok {
		d.Found, d.Accepted = found, accepted
	} else {
		d.Message += ": " + se.Msg
	}
	e.add(d)
}

// runtimeError translates an error of Starlark itself, which ended the module.
func (e *evaluation) runtimeError(err error) {
	var ee *starlark.EvalError
	if !errors.As(err, &ee) {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeEvaluation, At: diag.Span{File: e.name}, Message: err.Error()})
		return
	}
	depth, word := blame(ee.CallStack)
	frame := ee.CallStack.At(depth)
	d := builtins.Explain(err)
	d.Severity, d.Word = diag.Error, word
	d.At = e.around(frame.Pos)
	d.Chain = frames(builtins.Chain(ee.CallStack, depth))
	switch {
	case e.spent:
		if e.list.Failed() && e.list[len(e.list)-1].Code == CodeBudget {
			return
		}
		d.Code, d.Word, d.Hint = CodeBudget, "", "a recipe describes; look for a loop that counts too far"
		d.Message = fmt.Sprintf("the evaluation took more steps than the budget of %d", e.budget)
	case strings.Contains(d.Message, builtins.UnknownType) && e.list.Failed():
		return
	default:
		describe(&d, word)
	}
	e.add(d)
}

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

// describe gives Starlark's messages the words of this language.
func describe(d *diag.Diagnostic, word string) {
	d.Message = strings.TrimPrefix(d.Message, word+": ")
	switch {
	case word == "fail":
		d.Code = CodeFail
	case strings.Contains(d.Message, "called recursively"):
		d.Code, d.Hint = CodeRecursion, "the language has no recursion, so that every evaluation ends: write a loop"
	case strings.Contains(d.Message, "host value"):
		d.Code = builtins.CodeHostValue
		d.Message = strings.ReplaceAll(d.Message, "host value", "value that only the host knows")
		d.Hint = "fmt, min_of, max_of, clamp and + - * // % work on such values"
	case d.Code == builtins.CodeArithmetic && d.Hint == "":
		d.Code = CodeEvaluation
	}
}
