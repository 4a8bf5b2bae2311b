package builtins

import (
	"fmt"
	"strings"

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
	return &Value{in: r, expr: e, kind: expr.Text, nodes: size(e), depth: levels(e)}
}

// known is the text of a format that names neither flags, nor the host, nor paths.
func known(e expr.Expr) (string, bool) {
	if !e.Fixed() {
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

// levels is how deep an expression of a bounded size is nested.
func levels(e expr.Expr) int {
	most := 0
	for _, a := range e.Args {
		most = max(most, levels(a))
	}
	return most + 1
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
			return fault(diag.Diagnostic{Code: CodeFormat, Message: err.Error(), Found: braceIn(string(format)), Hint: "write {} where a value goes, in their order, and {{ or }} for a brace itself"})
		}
		if len(parts) != len(values)+1 {
			return fault(diag.Diagnostic{Code: CodeFormat, Message: "the format and the values do not fit: each {} takes one value",
				Found: fmt.Sprintf("%d {} and %d values", len(parts)-1, len(values)), Hint: formatHint(string(format), len(parts)-1, len(values))})
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

// runJoin makes a text of a list.
func runJoin(r *Recording, a *arguments) starlark.Value {
	list := get[expr.Expr](a, "list")
	separator, ok := a.given("separator").(starlark.String)
	if list.IsZero() || !ok || a.call.Spoilt(Whole("separator")) {
		return unknown{} // reported
	}
	e := expr.Call(expr.OpJoin, list, expr.TextOf(string(separator)))
	return &Value{in: r, expr: e, kind: expr.Text, nodes: size(e), depth: 1}
}

// braceIn is the line of a format that holds the first brace which stands alone.
func braceIn(format string) string {
	for _, line := range strings.Split(format, "\n") {
		if _, err := expr.SplitFormat(line); err != nil {
			return fmt.Sprintf("%q", clip(strings.TrimSpace(line), 60))
		}
	}
	return ""
}

// formatHint is for a format that has more or fewer {} than there are values.
func formatHint(format string, places, values int) string {
	switch {
	case places < values && strings.Contains(format, "%"):
		return "write {} for %s and %d"
	case places < values && strings.Contains(format, "{{"):
		return "{{ is a brace itself: a value goes where {} stands"
	case places < values:
		return "write {} where a value goes"
	}
	return "add the values behind the format; {{ and }} are braces themselves"
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
	operands, err := numeric(values)
	if err == nil && op == expr.OpClamp && len(operands) == 3 && operands[1].constant() && operands[2].constant() && operands[1].expr.Int > operands[2].expr.Int {
		err = &refusal{message: "clamp's low bound is above its high bound", hint: fixedHints[op]}
	}
	if err != nil {
		return a.refused(callee(), err)
	}
	if operands == nil {
		return unknown{}
	}
	v, err := combine(op, operands...)
	return a.result(r, v, err)
}

// numeric reads the operands of one operator; nil when a mistake in one has been reported.
func numeric(values []starlark.Value) ([]*Value, error) {
	kind := expr.Int
	for _, v := range values {
		switch v := v.(type) {
		case nil, unknown:
			return nil, nil
		case *Value:
			if v.kind.Numeric() {
				kind = v.kind
			}
		}
	}
	if len(values) == 0 {
		return nil, &refusal{message: "there is nothing to choose from", hint: "give it numbers"}
	}
	operands := make([]*Value, len(values))
	for i, v := range values {
		o, err := operand(v, kind)
		if err != nil {
			return nil, err
		}
		operands[i] = o
	}
	return operands, nil
}

// refused records an error of a word.
func (a *arguments) refused(part Part, err error) starlark.Value {
	a.recording.report(a.call, part, Explain(err))
	return unknown{}
}

// made is the value of an operator of a kind that was checked.
func (a *arguments) made(r *Recording, op expr.Op, args []*Value, kind expr.Kind) starlark.Value {
	v, err := node(op, kind, args...)
	return a.result(r, v, err)
}

func (a *arguments) result(r *Recording, v starlark.Value, err error) starlark.Value {
	if err != nil {
		return a.refused(callee(), err)
	}
	if v, ok := v.(*Value); ok {
		v.in = r
	}
	return v
}

// runPercent is value * n // 100.
func runPercent(r *Recording, a *arguments) starlark.Value {
	value, n := a.given("value"), a.given("n")
	operands, err := numeric([]starlark.Value{value, n})
	if err == nil && operands != nil && operands[1].kind != expr.Int {
		err = &refusal{message: fmt.Sprintf("a percentage is a plain number, not a %s", operands[1].kind), hint: "write percent(value, n)"}
	}
	if err != nil {
		return a.refused(callee(), err)
	}
	if operands == nil {
		return unknown{}
	}
	times, err := combine(expr.OpMul, operands...)
	if err != nil {
		return a.refused(callee(), err)
	}
	part, err := operand(times, expr.Int)
	if err != nil {
		return a.refused(callee(), err)
	}
	v, err := combine(expr.OpDiv, part, leaf(nil, expr.IntOf(100), expr.Int))
	return a.result(r, v, err)
}

func runSize(r *Recording, a *arguments) starlark.Value {
	if n, ok := a.values[a.index("value")].(plan.Size); ok {
		return leaf(r, expr.SizeOf(int64(n)), expr.Size)
	}
	return unknown{}
}

func runDuration(r *Recording, a *arguments) starlark.Value {
	if n, ok := a.values[a.index("value")].(plan.Duration); ok {
		return leaf(r, expr.DurationOf(int64(n)), expr.Duration)
	}
	return unknown{}
}

func (v *Value) constant() bool { return v.expr.Constant() && len(v.expr.Args) == 0 }
