package builtins

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"

	"recipe/runtime/expr"
)

// combine makes an operator node of numbers and checks it at once, so that a mistake is found where it is made.
func combine(op expr.Op, args ...*Value) (starlark.Value, error) {
	stubs := make([]expr.Expr, len(args))
	for i, a := range args {
		stubs[i] = literal(a.kind, 0)
		if !a.kind.Numeric() {
			stubs[i] = expr.TextOf("")
		}
	}
	if a, b := unlike(args); op != expr.OpMul && op != expr.OpDiv && a != b {
		return nil, &refusal{message: fmt.Sprintf("a value of type %s and one of type %s do not go together", a, b), hint: unitHint(args)}
	}
	kind, err := expr.Call(op, stubs...).Kind(nil)
	if err != nil {
		return nil, &refusal{message: err.Error(), hint: unitHint(args)}
	}
	if divisor := args[len(args)-1]; (op == expr.OpDiv || op == expr.OpMod) && divisor.constant() && divisor.expr.Int == 0 {
		return nil, &refusal{message: "division by zero"}
	}
	return node(op, kind, args...)
}

// node makes an operator node of a kind that was checked. What is the same on every host is computed at once: a number,
// a truth and a text are then plain ones, and what fails is a mistake here and now.
func node(op expr.Op, kind expr.Kind, args ...*Value) (starlark.Value, error) {
	v := &Value{nodes: 1, kind: kind, fixed: true}
	exprs := make([]expr.Expr, len(args))
	for i, a := range args {
		exprs[i] = a.expr
		if a.in != nil {
			v.in = a.in
		}
		v.nodes += a.nodes
		v.depth = max(v.depth, a.depth+1)
		v.fixed = v.fixed && a.fixed
	}
	if v.nodes > mostNodes || v.depth > mostDepth {
		return nil, &refusal{message: fmt.Sprintf("the expression is too large: more than %d operators, or %d in one another", mostNodes, mostDepth)}
	}
	v.expr = expr.Call(op, exprs...)
	if !v.fixed {
		return v, nil
	}
	result, err := v.expr.Eval(&expr.Env{})
	if err != nil {
		return nil, &refusal{message: err.Error(), hint: fixedHints[op]}
	}
	switch kind {
	case expr.Int:
		return starlark.MakeInt64(result.Int), nil
	case expr.Bool:
		return starlark.Bool(result.Int != 0), nil
	case expr.Text:
		return starlark.String(result.Text), nil
	}
	switch n := result.Int; {
	case n >= 0:
		v.expr, v.nodes, v.depth = literal(kind, n), 1, 1
	case n > math.MinInt64: // a size or duration below zero has no notation of its own
		v.expr, v.nodes, v.depth = expr.Call(expr.OpSub, literal(kind, 0), literal(kind, -n)), 3, 2
	}
	return v, nil
}

// fixedHints say what to do about what failed without a host.
var fixedHints = map[expr.Op]string{expr.OpClamp: "write clamp(value, low, high)"}

// unlike gives two kinds that differ, if there are any.
func unlike(args []*Value) (a, b expr.Kind) {
	for _, v := range args {
		if v.kind != args[0].kind {
			return args[0].kind, v.kind
		}
	}
	return args[0].kind, args[0].kind
}

func unitHint(args []*Value) string {
	for _, a := range args {
		switch a.kind {
		case expr.Size:
			return `a size beside it is written as text: "64MiB"`
		case expr.Duration:
			return `a duration beside it is written as text: "10s"`
		}
	}
	return ""
}
