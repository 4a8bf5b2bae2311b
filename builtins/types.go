package builtins

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// The types of parameters. Each reads into the Go type named beside it.
var (
	textType     = &Type{"text", `a text, as in "foo"`, readText}                                                                             // string
	intType      = &Type{"int", "a whole number", readInt}                                                                                    // int64
	boolType     = &Type{"bool", "True or False", readBool}                                                                                   // bool
	fractionType = &Type{"fraction", "a number from 0 to 1, as in 0.2", readFraction}                                                         // int, thousandths
	cpusType     = &Type{"number", "a number of CPUs from 0.01, as in 1.5", readCPUs}                                                         // int, hundredths
	durationType = &Type{"duration", `a text with a unit, as in "10s" (ms, s, m, h, d)`, readDuration}                                        // plan.Duration
	sizeType     = &Type{"size", `a text with a unit, as in "64MiB" (B, KiB, MiB, GiB, TiB)`, readSize}                                       // plan.Size
	modeType     = &Type{"mode", "a whole number, as in 0o755", readMode}                                                                     // plan.Mode
	pathType     = &Type{"path", `a handle, or a text with an absolute path, as in "/var/lib/foo"`, readPath}                                 // expr.Expr
	targetType   = &Type{"path or text", `a path, a handle, or a text that is relative to the link's folder, as in "releases/5"`, readTarget} // expr.Expr
	valueType    = &Type{"value", "a text, a number, a truth value, a handle, a flag or a fact of the host", readValue}                       // expr.Expr
	listType     = &Type{"list", "a flag of type list", readList}                                                                             // expr.Expr
	portType     = &Type{"port", "a whole number from 1 to 65535, or a flag", readPort}                                                       // expr.Expr
	volumeType   = &Type{"size", `a text with a unit, as in "1GiB", or a flag`, readVolume}                                                   // expr.Expr
	accountType  = &Type{"account", `account("foo"), or its name as a text`, readAccount}                                                     // string
	commandType  = &Type{commandName, `a program and its arguments, as in [food, "--foreground"]`, readCommand}                               // []expr.Expr
	environType  = &Type{"dict", `names and values, as in {"FOO_DATA": data}`, readEnviron}                                                   // []plan.Variable
	textsType    = &Type{"list of texts", `texts, as in ["a", "b"]`, readTexts}                                                               // []string
	signalType   = &Type{"signal", `the name of a signal without SIG, as in "TERM"`, readSignal}                                              // string
	anyType      = &Type{"value of the flag's type", "a value of the flag's type", readAny}                                                   // starlark.Value
	scalarType   = &Type{"number", "a number, a flag, a fact of the host, or a text that is a size or duration", readAny}                     // starlark.Value
)

func readText(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		return string(v)
	case *Value, *Handle:
		return it.mismatch(v, it.parameter.Type.Accepted, it.parameter.Name+" is part of the plan, which is the same on every host: a text that is known now is needed")
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

func readInt(it *item, v starlark.Value) any {
	i, ok := v.(starlark.Int)
	if !ok {
		return it.mismatch(v, it.parameter.Type.Accepted, fixedHint(it, v))
	}
	n, ok := i.Int64()
	if !ok {
		return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "the number does not fit in 64 bits", Found: show(v)})
	}
	return n
}

func fixedHint(it *item, v starlark.Value) string {
	if _, ok := v.(*Value); ok {
		return it.parameter.Name + " is part of the plan, which is the same on every host: a flag or fact cannot stand here"
	}
	return ""
}

func readBool(it *item, v starlark.Value) any {
	if b, ok := v.(starlark.Bool); ok {
		return bool(b)
	}
	return it.mismatch(v, it.parameter.Type.Accepted, fixedHint(it, v))
}

func readFraction(it *item, v starlark.Value) any {
	f, ok := starlark.AsFloat(v)
	if !ok {
		return it.mismatch(v, it.parameter.Type.Accepted, fixedHint(it, v))
	}
	if !(f >= 0 && f <= 1) {
		return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "the value is out of range", Found: show(v), Accepted: it.parameter.Type.Accepted})
	}
	return int(math.Round(f * 1000))
}

func readCPUs(it *item, v starlark.Value) any {
	f, ok := starlark.AsFloat(v)
	if !ok {
		return it.mismatch(v, it.parameter.Type.Accepted, fixedHint(it, v))
	}
	if !(f >= 0.01 && f <= 1<<20) {
		return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "the value is out of range", Found: show(v), Accepted: it.parameter.Type.Accepted})
	}
	return int(math.Round(f * 100))
}

func readDuration(it *item, v starlark.Value) any {
	ms, ok := units(it, v, expr.ParseDuration, "s")
	if !ok {
		return nil
	}
	return plan.Duration(ms)
}

func readSize(it *item, v starlark.Value) any {
	n, ok := units(it, v, expr.ParseSize, "MiB")
	if !ok {
		return nil
	}
	return plan.Size(n)
}

// units reads a text with a unit. A bare number gets the hint that it lacks one.
func units(it *item, v starlark.Value, parse func(string) (int64, error), unit string) (int64, bool) {
	if host, ok := v.(*Value); ok {
		if text, ok := host.written(); ok {
			v = starlark.String(text)
		}
	}
	s, ok := v.(starlark.String)
	if !ok {
		hint := fixedHint(it, v)
		if n, number := v.(starlark.Int); number {
			hint = suggestUnit(n, unit)
		}
		it.mismatch(v, it.parameter.Type.Accepted, hint)
		return 0, false
	}
	n, err := parse(string(s))
	if err != nil {
		it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "the text cannot be read as a " + it.parameter.Type.Name, Found: show(v), Accepted: it.parameter.Type.Accepted,
			Hint: suggestUnits(string(s), unit == "MiB")})
		return 0, false
	}
	return n, true
}

func readMode(it *item, v starlark.Value) any {
	i, ok := v.(starlark.Int)
	if !ok {
		s, text := v.(starlark.String)
		digits := clip(trimZeros(string(s)), 8)
		switch {
		case text && looksOctal(digits):
			return it.fault(diag.Diagnostic{Code: plan.CodeKind, Message: it.parameter.Name + " is of the wrong type", Found: show(v), Accepted: it.parameter.Type.Accepted,
				Hint: "write it as a number: 0o" + digits, Fix: &diag.Fix{New: "0o" + digits}})
		case text:
			return it.mismatch(v, it.parameter.Type.Accepted, "write it as a number: 0o755")
		}
		return it.mismatch(v, it.parameter.Type.Accepted, "")
	}
	n, ok := i.Uint64()
	if !ok || n > 0o7777 {
		return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "this is no file mode", Found: show(v), Accepted: "0o0000 to 0o7777"})
	}
	mask := it.parameter.Name == "umask" && (n == 22 || n == 27 || n == 77) // less than a mode has, and never meant
	if decimal := fmt.Sprint(n); mask || n > 0o777 && looksOctal(decimal) {
		return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "this number is decimal, and looks like an octal file mode", Found: show(v), Accepted: "0o0000 to 0o7777",
			Hint: "write 0o" + decimal, Fix: &diag.Fix{New: "0o" + decimal}})
	}
	return plan.Mode(n)
}

// looksOctal tells 755 from a number that nobody would mean as a mode.
func looksOctal(digits string) bool {
	return digits != "" && strings.Trim(digits, "01234567") == ""
}

func trimZeros(s string) string {
	for len(s) > 1 && (s[0] == '0' || s[0] == 'o') {
		s = s[1:]
	}
	return s
}

func readPath(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		if err := expr.CheckPath(string(v)); err != nil {
			return it.fault(diag.Diagnostic{Code: plan.CodePath, Message: err.Error(), Accepted: it.parameter.Type.Accepted, Hint: it.suggestPath(string(v))})
		}
		return expr.PathOf(string(v))
	case *Handle:
		if !v.path.IsZero() {
			return v.path
		}
	case *Value:
		if v.kind == expr.Path {
			return v.expr
		}
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

func readTarget(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		if len(v) > 0 && v[0] != '/' {
			return expr.TextOf(string(v))
		}
	case *Value:
		if v.kind == expr.Text {
			return v.expr
		}
	}
	return readPath(it, v)
}

func readValue(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		if !utf8.ValidString(string(v)) {
			return it.fault(diag.Diagnostic{Code: plan.CodeText, Message: "the text is not UTF-8", Found: show(v)})
		}
		return expr.TextOf(string(v))
	case starlark.Int:
		if n, ok := v.Int64(); ok {
			return expr.IntOf(n)
		}
		return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "the number does not fit in 64 bits", Found: show(v)})
	case starlark.Bool:
		return expr.BoolOf(bool(v))
	case *Value:
		return v.expr
	case *Handle:
		if !v.path.IsZero() {
			return v.path
		}
	}
	hint := ""
	if _, ok := v.(*starlark.List); ok {
		hint = "join lists with +, or write their items out"
	}
	return it.mismatch(v, "a text, a number, a truth value, a handle, a flag or a fact of the host", hint)
}

// readList reads a list that is known only on the host: one that is known now is joined by Starlark itself.
func readList(it *item, v starlark.Value) any {
	if v, ok := v.(*Value); ok && v.kind == expr.List {
		return v.expr
	}
	hint := ""
	if _, ok := v.(*starlark.List); ok {
		hint = `write ",".join(LIST) for a list of texts that are known now`
	}
	return it.mismatch(v, it.parameter.Type.Accepted, hint)
}

func readPort(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.Int:
		if n, ok := v.Int64(); ok && n >= 1 && n <= 65535 {
			return expr.IntOf(n)
		}
		return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "the port is out of range", Found: show(v), Accepted: "1 to 65535"})
	case *Value:
		if v.kind == expr.Int {
			return v.expr
		}
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

func readVolume(it *item, v starlark.Value) any {
	if v, ok := v.(*Value); ok && v.kind == expr.Size {
		return v.expr
	}
	if v, ok := v.(*Value); ok && v.kind == expr.Text {
		return it.mismatch(v, it.parameter.Type.Accepted, `size("1GiB") is a size where nothing beside a text tells that it is one`)
	}
	n, ok := units(it, v, expr.ParseSize, "MiB")
	if !ok {
		return nil
	}
	return expr.SizeOf(n)
}

func readAccount(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		return string(v)
	case *Handle:
		if v.word == "account" {
			return v.name
		}
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

func readSignal(it *item, v starlark.Value) any {
	name := ""
	switch v := v.(type) {
	case starlark.String:
		name = string(v)
	case *Handle:
		if v.word != "signal" {
			return it.mismatch(v, it.parameter.Type.Accepted, "")
		}
		name = v.made.(string)
	default:
		return it.mismatch(v, it.parameter.Type.Accepted, "")
	}
	for _, known := range plan.Signals() {
		if known == name {
			return name
		}
	}
	return it.fault(unknownSignal(name))
}

func readAny(_ *item, v starlark.Value) any { return v }
