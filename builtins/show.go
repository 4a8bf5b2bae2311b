package builtins

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"recipe/runtime/expr"
)

// notation writes an expression as a recipe would.
func notation(e expr.Expr) string { return clip(notate(e, 0), 80) }

func notate(e expr.Expr, depth int) string {
	if depth > 3 {
		return "..."
	}
	symbols := map[expr.Op]string{expr.OpAdd: " + ", expr.OpSub: " - ", expr.OpMul: " * ", expr.OpDiv: " // ", expr.OpMod: " % ",
		expr.OpEq: " == ", expr.OpNe: " != ", expr.OpLt: " < ", expr.OpLe: " <= ", expr.OpGt: " > ", expr.OpGe: " >= ", expr.OpAnd: " and ", expr.OpOr: " or "}
	names := map[expr.Op]string{expr.OpMin: "min_of", expr.OpMax: "max_of", expr.OpClamp: "clamp", expr.OpFmt: "fmt", expr.OpJoin: "join", expr.OpCond: "cond", expr.OpSelect: "select"}
	switch e.Op {
	case expr.OpFlag:
		return fmt.Sprintf("flag(%q)", e.Text)
	case expr.OpHost:
		return "host." + e.Text
	case expr.OpText, expr.OpPath:
		return fmt.Sprintf("%q", e.Text)
	case expr.OpSize:
		return fmt.Sprintf("%q", expr.FormatSize(e.Int))
	case expr.OpDuration:
		return fmt.Sprintf("%q", expr.FormatDuration(e.Int))
	case expr.OpBool:
		if e.Int != 0 {
			return "True"
		}
		return "False"
	case expr.OpInt:
		return fmt.Sprint(e.Int)
	}
	args := make([]string, min(len(e.Args), 4))
	for i := range args {
		args[i] = notate(e.Args[i], depth+1)
	}
	if e.Op == expr.OpList {
		return "[" + strings.Join(args, ", ") + "]"
	}
	if symbol, ok := symbols[e.Op]; ok {
		return strings.Join(args, symbol)
	}
	switch {
	case e.Op == expr.OpNot:
		return "not " + args[0]
	case e.Op == expr.OpSelect:
		return "select(" + args[0] + ", ...)"
	}
	return names[e.Op] + "(" + strings.Join(args, ", ") + ")"
}

// show writes a value for "found": the value and its type in the language's own names.
func show(v starlark.Value) string {
	switch v := v.(type) {
	case starlark.NoneType:
		return "None"
	case *Value:
		if v.fixed {
			return fmt.Sprintf("%s (%s)", v, v.kind)
		}
		return fmt.Sprintf("%s (%s of the host)", v, v.kind)
	case *Handle:
		return v.String()
	case starlark.String:
		return clip(starlark.String(clip(string(v), 80)).String(), 90) + " (text)"
	case *starlark.List, *starlark.Dict, *starlark.Set, starlark.Tuple:
		return describe(v)
	case *starlark.Function:
		return "the function " + v.Name()
	case *starlark.Builtin:
		return "the word " + v.Name() + ", not called"
	}
	return fmt.Sprintf("%s (%s)", clip(v.String(), 80), v.Type())
}

// describe names the type of a value, with an article.
func describe(v starlark.Value) string {
	switch v := v.(type) {
	case starlark.NoneType:
		return "None"
	case *Value:
		if v.fixed {
			return "a " + string(v.kind)
		}
		return "a " + string(v.kind) + " of the host"
	case starlark.String:
		return "a text"
	case starlark.Int:
		return "an int"
	case *starlark.List:
		return fmt.Sprintf("a list of %d", v.Len())
	case *starlark.Dict:
		return fmt.Sprintf("a dict of %d", v.Len())
	case *starlark.Builtin, *starlark.Function:
		return "a function"
	}
	return "a " + v.Type()
}

// clip cuts a text to so many bytes, between characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "..."
}
