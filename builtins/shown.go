package builtins

import (
	"encoding/json"

	"go.starlark.net/starlark"

	"recipe/runtime/expr"
)

// mostShown bounds what a session shows of one value, in bytes.
const mostShown = 8 << 10

// Shown is a value as a session shows it, and its expression as a plan's JSON where it can be one: a literal, a flag, a
// fact, what is computed from them, or the path of a handle.
func Shown(v starlark.Value) (text string, expression []byte) {
	switch v := v.(type) {
	case starlark.NoneType:
		return "", nil
	case *Value:
		expression, _ = json.Marshal(v.expr)
		return notate(v.expr, 0) + " (" + string(v.kind) + " of the host)", expression
	case *Handle:
		if !v.path.IsZero() {
			expression, _ = json.Marshal(v.path)
		}
		return v.String(), expression
	case starlark.Bool:
		expression, _ = json.Marshal(expr.BoolOf(bool(v)))
	case starlark.String:
		expression, _ = json.Marshal(expr.TextOf(string(v)))
	case starlark.Int:
		if n, ok := v.Int64(); ok {
			expression, _ = json.Marshal(expr.IntOf(n))
		}
	}
	return clip(v.String(), mostShown), expression
}
