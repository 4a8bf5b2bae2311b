package builtins

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
)

// Value is an expression as a recipe holds it: what a flag or a fact of the host will come to. It does arithmetic and
// can stand wherever a value is wanted; it can be neither compared, nor tested, nor turned into text.
type Value struct {
	in    *Recording // nil in a literal beside one
	expr  expr.Expr
	kind  expr.Kind
	nodes int // of expr, bounded because x = x + x doubles it
	depth int
	fixed bool // the same on every host: made by size or duration
}

// The bounds of one expression. expr's own is 200 levels.
const (
	mostNodes = 4096
	mostDepth = 100
)

func leaf(r *Recording, e expr.Expr, kind expr.Kind) *Value {
	return &Value{in: r, expr: e, kind: kind, nodes: 1, depth: 1, fixed: e.Fixed()}
}

var (
	_ starlark.HasBinary  = (*Value)(nil)
	_ starlark.HasUnary   = (*Value)(nil)
	_ starlark.Comparable = (*Value)(nil)
)

// why says what keeps a value from giving an answer.
func why(v starlark.Value) string {
	if v, ok := v.(*Value); ok && v.fixed {
		return fmt.Sprintf("it is a %s, which words and arithmetic take", v.kind)
	}
	return onlyOnHost
}

// Expr is what the value comes to on a host.
func (v *Value) Expr() expr.Expr { return v.expr }

// String is the notation that a message shows.
func (v *Value) String() string { return notation(v.expr) }

// Type is what Starlark's own messages call it.
func (v *Value) Type() string { return "host value" }

// Freeze does nothing: a Value never changes.
func (v *Value) Freeze() {}

// Truth is never asked: conditions pass through a guard that refuses the value.
func (v *Value) Truth() starlark.Bool { return true }

// Hash refuses to be a key.
func (v *Value) Hash() (uint32, error) {
	return 0, v.in.refuse(&refusal{message: fmt.Sprintf("%s cannot be a key: %s", v, why(v)), code: CodeHostValue, hint: "use the flag's name, or another text that is known now"})
}

// CompareSameType refuses every comparison.
func (v *Value) CompareSameType(op syntax.Token, _ starlark.Value, _ int) (bool, error) {
	return false, v.in.refuse(&refusal{message: fmt.Sprintf("%s cannot be compared: %s", v, why(v)), code: CodeHostValue, hint: hintCompare})
}

// Binary does arithmetic; texts beside a size or a duration are read as such. A mistake is recorded, and comes to the
// unknown value.
func (v *Value) Binary(op syntax.Token, other starlark.Value, side starlark.Side) (starlark.Value, error) {
	if isUnknown(other) {
		return unknown{}, nil
	}
	result, err := v.binary(op, other, side)
	if err != nil {
		return v.in.refuseOperator(op, err), nil
	}
	return result, nil
}

func (v *Value) binary(op syntax.Token, other starlark.Value, side starlark.Side) (starlark.Value, error) {
	if op == syntax.SLASH {
		return nil, &refusal{message: "host values are whole numbers, which / does not divide", hint: "write //, which rounds down"}
	}
	operator, ok := operators[op]
	if !ok {
		return nil, &refusal{message: fmt.Sprintf("%s has no meaning for %s: %s", op, v, why(v)), hint: HintHostValue}
	}
	if !v.kind.Numeric() {
		return nil, &refusal{message: fmt.Sprintf("%s is a %s, which has no arithmetic", v, v.kind), hint: fmtHint(other, side)}
	}
	if _, ok := other.(starlark.String); ok && v.kind == expr.Int {
		return nil, &refusal{message: fmt.Sprintf("%s cannot be joined to a text: %s", v, why(v)), hint: fmtHint(other, side)}
	}
	o, err := operand(other, v.kind)
	if err != nil {
		return nil, err
	}
	if side == starlark.Left {
		return combine(operator, v, o)
	}
	return combine(operator, o, v)
}

var operators = map[syntax.Token]expr.Op{
	syntax.PLUS: expr.OpAdd, syntax.MINUS: expr.OpSub, syntax.STAR: expr.OpMul, syntax.SLASHSLASH: expr.OpDiv, syntax.PERCENT: expr.OpMod,
}

// Unary negates.
func (v *Value) Unary(op syntax.Token) (starlark.Value, error) {
	switch {
	case op == syntax.PLUS && v.kind.Numeric():
		return v, nil
	case op == syntax.MINUS && v.kind.Numeric():
		result, err := combine(expr.OpSub, leaf(nil, literal(v.kind, 0), v.kind), v)
		if err != nil {
			return v.in.refuseOperator(op, err), nil
		}
		return result, nil
	}
	return v.in.refuseOperator(op, &refusal{message: fmt.Sprintf("%s has no meaning for %s: %s", op, v, why(v)), hint: HintHostValue}), nil
}

// refusal is an error of a host value's own operators, with the hint that a plain error cannot carry.
type refusal struct {
	message, hint string
	code          string // CodeArithmetic unless given
}

func (r *refusal) Error() string { return r.message }

// refuse remembers a refusal that goes through Starlark, whose words keep no more than its text.
func (r *Recording) refuse(err *refusal) error {
	r.refused = err
	return err
}

// Explain is the function of that name, for an error of Starlark that may have the text of a refusal in it.
func (r *Recording) Explain(err error) diag.Diagnostic {
	d := Explain(err)
	if last := r.refused; d.Code == "" && last != nil && strings.HasSuffix(d.Message, last.message) {
		d.Code, d.Hint = last.code, last.hint
	}
	return d
}

// Explain makes a diagnostic of an error. Those of the language's own values have a code and perhaps a hint.
func Explain(err error) diag.Diagnostic {
	d := diag.Diagnostic{Message: err.Error()}
	var r *refusal
	if errors.As(err, &r) {
		d.Code, d.Hint = cmp.Or(r.code, CodeArithmetic), r.hint
	}
	return d
}

const (
	onlyOnHost  = "its value is known only on the host where the service starts"
	hintCompare = "cond(a > b, then, otherwise) compares on the host, select chooses by a text; == None and != None are allowed"
	hintTruth   = "cond(a > b, then, otherwise) decides on the host, and cond(flag, then, otherwise) by a flag of type bool"
	hintIn      = "select(value, {choice: result}, default = ...) looks a value up on the host"
)

func fmtHint(other starlark.Value, side starlark.Side) string {
	text, ok := other.(starlark.String)
	if !ok {
		return "fmt makes texts of such values"
	}
	format := `"{}` + escaped(string(text)) + `"`
	if side == starlark.Right {
		format = `"` + escaped(string(text)) + `{}"`
	}
	return fmt.Sprintf("write fmt(%s, ...)", format)
}

func escaped(s string) string {
	q := starlark.String(clip(s, 40)).String()
	return strings.NewReplacer("{", "{{", "}", "}}").Replace(q[1 : len(q)-1])
}

// written is a size or duration that is known now, as a recipe writes it.
func (v *Value) written() (string, bool) {
	switch v.expr.Op {
	case expr.OpSize:
		return expr.FormatSize(v.expr.Int), true
	case expr.OpDuration:
		return expr.FormatDuration(v.expr.Int), true
	}
	return "", false
}

// operand is the other side of an operator, or an argument of min_of and the like, beside a value of that kind.
func operand(v starlark.Value, beside expr.Kind) (*Value, error) {
	switch v := v.(type) {
	case *Value:
		return v, nil
	case starlark.Int:
		n, ok := v.Int64()
		if !ok {
			return nil, &refusal{message: "the number does not fit in 64 bits"}
		}
		return leaf(nil, expr.IntOf(n), expr.Int), nil
	case starlark.String:
		var n int64
		var err error
		switch beside {
		case expr.Size:
			n, err = expr.ParseSize(string(v))
		case expr.Duration:
			n, err = expr.ParseDuration(string(v))
		default:
			return nil, &refusal{message: fmt.Sprintf("a text has no arithmetic: %s", show(v)), hint: unitWord(string(v))}
		}
		if err != nil {
			return nil, &refusal{message: err.Error()}
		}
		return leaf(nil, literal(beside, n), beside), nil
	}
	return nil, &refusal{message: fmt.Sprintf("arithmetic with host values takes numbers, not %s", describe(v)), hint: HintHostValue}
}

// unitWord is the hint for a text where a number is wanted.
func unitWord(text string) string {
	if _, err := expr.ParseSize(text); err == nil {
		return fmt.Sprintf("size(%q) is a size", text)
	}
	if _, err := expr.ParseDuration(text); err == nil {
		return fmt.Sprintf("duration(%q) is a duration", text)
	}
	return "fmt joins texts and host values"
}

func literal(kind expr.Kind, n int64) expr.Expr {
	switch kind {
	case expr.Size:
		return expr.SizeOf(n)
	case expr.Duration:
		return expr.DurationOf(n)
	}
	return expr.IntOf(n)
}
