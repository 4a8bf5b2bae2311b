package builtins

import (
	"fmt"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// CodeFormat is the code of a format that does not fit its values.
const CodeFormat = "bad-format"

// runFmt makes a text of a format and values; when all of them are known now, it is an ordinary text.
func runFmt(r *Recording, a *arguments) starlark.Value {
	e := formatted(r, a, "format")
	if e.IsZero() {
		return unknown{}
	}
	if text, ok := known(e); ok {
		return starlark.String(text)
	}
	return &Value{in: r, expr: e, kind: expr.Text, nodes: size(e), depth: 1}
}

// known is the text of a format that names neither flags, nor the host, nor paths.
func known(e expr.Expr) (string, bool) {
	fixed := e.Constant()
	e.Walk(func(n expr.Expr) { fixed = fixed && n.Op != expr.OpPath })
	if !fixed {
		return "", false
	}
	v, err := e.Eval(&expr.Env{})
	return v.Text, err == nil
}

// size counts nodes, and stops soon after mostNodes: an expression shared by many can be larger than memory.
func size(e expr.Expr) int {
	n := 1
	for _, a := range e.Args {
		if n += size(a); n > mostNodes {
			break
		}
	}
	return n
}

// formatted reads the format in the parameter of that name and the values in args; zero when something was at fault.
func formatted(r *Recording, a *arguments, name string) expr.Expr {
	rest, _ := a.values[a.index("args")].([]any)
	values := make([]expr.Expr, len(rest))
	for i, v := range rest {
		e, ok := v.(expr.Expr)
		if !ok {
			return expr.Expr{} // reported
		}
		values[i] = e
	}
	fault := func(d diag.Diagnostic) expr.Expr {
		r.report(a.call, Whole(name), d)
		return expr.Expr{}
	}
	nodes := 0
	for _, v := range values {
		if nodes += size(v); nodes > mostNodes {
			return fault(diag.Diagnostic{Code: CodeTooLarge, Message: fmt.Sprintf("the values are too large: more than %d operators", mostNodes)})
		}
	}
	switch format := a.given(name).(type) {
	case starlark.String:
		parts, err := expr.SplitFormat(string(format))
		if err != nil {
			return fault(diag.Diagnostic{Code: CodeFormat, Message: err.Error()})
		}
		if len(parts) != len(values)+1 {
			return fault(diag.Diagnostic{Code: CodeFormat, Message: "the format and the values do not fit: each {} takes one value",
				Found: fmt.Sprintf("%d {} and %d values", len(parts)-1, len(values)), Hint: "write {{ and }} for braces themselves"})
		}
		if len(values) == 0 {
			return expr.TextOf(parts[0])
		}
		return expr.Fmt(string(format), values...)
	case *Value:
		if name == "text" && len(values) == 0 {
			return format.expr
		}
		return fault(diag.Diagnostic{Code: plan.CodeKind, Message: "the format must be a text that is known now", Found: show(format), Hint: `write fmt("{}", ...)`})
	case nil:
		return expr.Expr{}
	default:
		if !a.call.Spoilt(Whole(name)) {
			return fault(diag.Diagnostic{Code: plan.CodeKind, Message: name + " is of the wrong type", Found: show(format), Accepted: `a text, as in "--port={}"`})
		}
	}
	return expr.Expr{}
}

func runMinOf(r *Recording, a *arguments) starlark.Value {
	return arithmetic(r, a, expr.OpMin, rest(a))
}
func runMaxOf(r *Recording, a *arguments) starlark.Value {
	return arithmetic(r, a, expr.OpMax, rest(a))
}

func runClamp(r *Recording, a *arguments) starlark.Value {
	return arithmetic(r, a, expr.OpClamp, []starlark.Value{a.given("value"), a.given("low"), a.given("high")})
}

func rest(a *arguments) []starlark.Value {
	list, _ := a.values[a.index("values")].([]any)
	values := make([]starlark.Value, len(list))
	for i, v := range list {
		values[i], _ = v.(starlark.Value)
	}
	return values
}

// arithmetic combines numbers. Texts take the kind of the values beside them; plain ints give a plain int.
func arithmetic(r *Recording, a *arguments, op expr.Op, values []starlark.Value) starlark.Value {
	kind := expr.Int
	plain := true
	for _, v := range values {
		switch v := v.(type) {
		case nil, unknown:
			return unknown{}
		case *Value:
			if v.kind.Numeric() {
				kind = v.kind
			}
			plain = false
		}
	}
	fault := func(err error) starlark.Value {
		r.report(a.call, callee(), Explain(err))
		return unknown{}
	}
	if len(values) == 0 {
		return fault(&refusal{message: "there is nothing to choose from", hint: "give it numbers"})
	}
	operands := make([]*Value, len(values))
	for i, v := range values {
		o, err := operand(v, kind)
		if err != nil {
			return fault(err)
		}
		operands[i] = o
	}
	v, err := combine(op, operands...)
	if err != nil {
		return fault(err)
	}
	made := v.(*Value)
	made.in = r
	if op == expr.OpClamp && operands[1].constant() && operands[2].constant() && operands[1].expr.Int > operands[2].expr.Int {
		return fault(&refusal{message: "clamp's low bound is above its high bound", hint: "write clamp(value, low, high)"})
	}
	if plain {
		result, err := made.expr.Eval(&expr.Env{})
		if err != nil {
			return fault(err)
		}
		return starlark.MakeInt64(result.Int)
	}
	return made
}

func (v *Value) constant() bool { return v.expr.Constant() && len(v.expr.Args) == 0 }
