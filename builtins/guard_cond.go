package builtins

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// The first argument of cond is the one place where host values are compared. Package interp puts the comparisons that
// stand there, and what joins them, through guards of their own, which make expressions of them. Of values that are
// known now they give what Starlark gives.

const condPrefix = "?"

// GuardCond names the guard of an operator in the first argument of cond, and reports whether it has one. Those of and
// and or take their right side as a function without parameters, which is called when the left does not decide.
func GuardCond(op syntax.Token) (string, bool) {
	switch op {
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE, syntax.AND, syntax.OR, syntax.NOT:
		return condPrefix + op.String(), true
	}
	return "", false
}

func condGuards(d starlark.StringDict) {
	add := func(op syntax.Token, f function) {
		name, _ := GuardCond(op)
		d[name] = starlark.NewBuiltin(op.String(), f)
	}
	for op, made := range comparisons {
		add(op, condComparison(op, made))
	}
	add(syntax.AND, condJoin(expr.OpAnd))
	add(syntax.OR, condJoin(expr.OpOr))
	add(syntax.NOT, condNot)
}

var comparisons = map[syntax.Token]expr.Op{
	syntax.EQL: expr.OpEq, syntax.NEQ: expr.OpNe, syntax.LT: expr.OpLt, syntax.LE: expr.OpLe, syntax.GT: expr.OpGt, syntax.GE: expr.OpGe,
}

func condComparison(op syntax.Token, made expr.Op) function {
	plain := guardComparison(op)
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		x, y := args[0], args[1]
		if anyUnknown(x, y) {
			return unknown{}, nil
		}
		if !isValue(x) && !isValue(y) || x == starlark.None || y == starlark.None {
			return plain(thread, b, args, kwargs)
		}
		r := recordingOf(thread)
		result, err := r.compared(op, made, args)
		if err != nil {
			return r.refuseCond(thread, b, callee(), err), nil
		}
		return result, nil
	}
}

func isValue(v starlark.Value) bool { _, ok := v.(*Value); return ok }

func (r *Recording) compared(op syntax.Token, made expr.Op, args starlark.Tuple) (starlark.Value, error) {
	values, err := alike(args)
	if err != nil {
		return nil, err
	}
	if kind := values[0].kind; op != syntax.EQL && op != syntax.NEQ && !kind.Numeric() {
		return nil, &refusal{message: fmt.Sprintf("%s orders numbers, and a %s is none", op, kind), hint: "== and != compare everything"}
	}
	for i, v := range values {
		if err := r.never(v, values[1-i]); err != nil {
			return nil, err
		}
	}
	return node(made, expr.Bool, values...)
}

func condJoin(op expr.Op) function {
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		x, right := args[0], args[1]
		if isUnknown(x) {
			return x, nil
		}
		left, ok := x.(*Value)
		if !ok && bool(x.Truth()) == (op == expr.OpOr) {
			return x, nil
		}
		r := recordingOf(thread)
		if ok && left.kind != expr.Bool {
			return r.refuseCond(thread, b, Part{Index: 0, Element: -1}, noTruth(left)), nil
		}
		y, err := starlark.Call(thread, right, nil, nil)
		if err != nil || !ok || isUnknown(y) {
			return y, err
		}
		var joined starlark.Value
		switch y := y.(type) {
		case starlark.Bool:
			joined, err = node(op, expr.Bool, left, leaf(nil, expr.BoolOf(bool(y)), expr.Bool))
		case *Value:
			if err = noTruth(y); y.kind == expr.Bool {
				joined, err = node(op, expr.Bool, left, y)
			}
		default:
			err = &refusal{code: plan.CodeKind, message: fmt.Sprintf("%s beside a value of the host joins truths, not %s", b.Name(), describe(y))}
		}
		if err != nil {
			return r.refuseCond(thread, b, Part{Index: 1, Element: -1}, err), nil
		}
		return joined, nil
	}
}

func condNot(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	v, ok := args[0].(*Value)
	if isUnknown(args[0]) {
		return args[0], nil
	}
	if !ok {
		return !args[0].Truth(), nil
	}
	r := recordingOf(thread)
	if v.kind != expr.Bool {
		return r.refuseCond(thread, b, Part{Index: 0, Element: -1}, noTruth(v)), nil
	}
	result, err := node(expr.OpNot, expr.Bool, v)
	if err != nil {
		return r.refuseCond(thread, b, callee(), err), nil
	}
	return result, nil
}

func (r *Recording) refuseCond(thread *starlark.Thread, b *starlark.Builtin, part Part, err error) starlark.Value {
	var d diag.Diagnostic = Explain(err)
	r.report(here(thread, b.Name()), part, d)
	return unknown{}
}
