package builtins

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
)

// HintHostValue says what a host value is good for.
const HintHostValue = "fmt, cond, select, min_of, max_of, clamp, percent and + - * // % work on such values"

const hintFmt = `fmt does it on the host: fmt("--name={}", value)`

// toText reports a host value that would be made text.
func toText(thread *starlark.Thread, word string, part Part, v starlark.Value) starlark.Value {
	if v == nil {
		return nil
	}
	return refusePart(thread, word, part, v, fmt.Sprintf("%s cannot be turned into text here", v), hintFmt)
}

// guardPercent is %: of numbers the remainder, of texts the formatting that host values cannot take part in.
func guardPercent(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	x, y := args[0], args[1]
	if isUnknown(x) || isUnknown(y) {
		return unknown{}, nil
	}
	if _, ok := x.(starlark.String); ok {
		v, err := dependent(y)
		if err != nil {
			return nil, err
		}
		if v != nil {
			return toText(thread, b.Name(), Part{Index: 1, Element: -1}, v), nil
		}
	}
	return starlark.Binary(syntax.PERCENT, x, y)
}

// guardInPlace takes what is known now.
func guardInPlace(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	v, err := dependent(args[0])
	if err != nil {
		return nil, err
	}
	if v != nil {
		return refuse(thread, b.Name(), 0, v, fmt.Sprintf("%s cannot be used in place", v), "write x[i] = x[i] % y, with fmt where x[i] is a text"), nil
	}
	if n, ok := args[0].(starlark.Int); ok && n.BigInt().BitLen() > 16 {
		return nil, tooLarge("a factor")
	}
	return args[0], nil
}

// guardAttribute is X.NAME.
func guardAttribute(name string) function {
	return func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		if method := guardedMethod(args[0], name); method != nil {
			return method, nil
		}
		if x, ok := args[0].(starlark.HasAttrs); ok {
			if v, err := x.Attr(name); v != nil || err != nil {
				return v, err
			}
		}
		return nil, fmt.Errorf("%s has no .%s field or method", args[0].Type(), name)
	}
}

// guardedMethod is the method without host values of a text or a list, or nil when it needs no guard.
func guardedMethod(x starlark.Value, name string) starlark.Value {
	switch x := x.(type) {
	case starlark.String:
		if name == "format" {
			return textFormat(x)
		}
	case *starlark.List:
		if name == "index" || name == "remove" {
			return listSearch(x, name)
		}
	}
	return nil
}

// listSearch is list.index and list.remove, which compare.
func listSearch(list *starlark.List, name string) starlark.Value {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args) > 0 {
			if _, v, err := clashElements(args[0], list); v != nil || err != nil {
				return refused(thread, b.Name(), v), err
			}
		}
		method, err := list.Attr(name)
		if err != nil {
			return nil, err
		}
		return starlark.Call(thread, method, args, kwargs)
	})
}

// refused reports a host value that a method would have to compare.
func refused(thread *starlark.Thread, word string, v starlark.Value) starlark.Value {
	if v == nil {
		return nil
	}
	return refusePart(thread, word, callee(), v, fmt.Sprintf("%s cannot be compared", v), hintIn)
}

func textFormat(text starlark.String) starlark.Value {
	return starlark.NewBuiltin("format", func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		for i, v := range args {
			if found, err := dependent(v); found != nil || err != nil {
				return toText(thread, b.Name(), Part{Index: i, Element: -1}, found), err
			}
		}
		for _, kv := range kwargs {
			if found, err := dependent(kv[1]); found != nil || err != nil {
				return toText(thread, b.Name(), Whole(string(kv[0].(starlark.String))), found), err
			}
		}
		method, err := text.Attr("format")
		if err != nil {
			return nil, err
		}
		return starlark.Call(thread, method, args, kwargs)
	})
}

// replacement is a word of Starlark that would answer wrongly, or without the right hint, about a host value.
type replacement struct {
	name, message, hint string
	shallow             bool // looks at its arguments, not into them
	handles             bool // works on handles
}

func replacements() []replacement {
	const (
		text  = "cannot be turned into text here"
		truth = "cannot decide anything here"
		order = "cannot be compared here"
		count = "cannot be counted or walked through here"
	)
	return []replacement{
		{name: "str", message: text, hint: hintFmt},
		{name: "repr", message: text, hint: hintFmt},
		{name: "bool", message: truth, hint: hintTruth, shallow: true, handles: true},
		{name: "any", message: truth, hint: hintTruth, handles: true},
		{name: "all", message: truth, hint: hintTruth, handles: true},
		{name: "max", message: order, hint: "write max_of(...)"},
		{name: "min", message: order, hint: "write min_of(...)"},
		{name: "sorted", message: order, hint: HintHostValue},
		{name: "len", message: count, hint: HintHostValue, shallow: true, handles: true},
		{name: "range", message: count, hint: HintHostValue},
		{name: "int", message: "is no number yet", hint: "numbers of the host are used as they are: host.cpus * 2"},
		{name: "float", message: "is no number yet", hint: HintHostValue},
	}
}

// wrapped are the words of Starlark that are replaced.
func wrapped() starlark.StringDict {
	d := starlark.StringDict{}
	for _, w := range replacements() {
		d[w.name] = starlark.NewBuiltin(w.name, w.call(starlark.Universe[w.name].(*starlark.Builtin)))
	}
	d["getattr"] = starlark.NewBuiltin("getattr", guardGetattr)
	d["print"] = starlark.NewBuiltin("print", note)
	d["fail"] = starlark.NewBuiltin("fail", guardFail)
	return d
}

func (w replacement) call(plain *starlark.Builtin) function {
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		for i, v := range args {
			if isUnknown(v) {
				return unknown{}, nil
			}
			found, err := w.find(v)
			if err != nil {
				return nil, err
			}
			if found != nil {
				return refuse(thread, b.Name(), i, found, fmt.Sprintf("%s %s", found, w.message), w.hint), nil
			}
		}
		result, err := plain.CallInternal(thread, args, kwargs)
		if w.name == "range" && err == nil && starlark.Len(result) > MostItems {
			return nil, tooLarge("the range")
		}
		return result, err
	}
}

// find gives the value that the word cannot take.
func (w replacement) find(v starlark.Value) (starlark.Value, error) {
	if _, ok := v.(*Value); ok || w.shallow {
		if !ok {
			return nil, nil
		}
		return v, nil
	}
	return look(v, w.handles)
}

// guardFail is fail, with a message that can be printed.
func guardFail(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if _, err := dependent(args); err != nil {
		return nil, err
	}
	return starlark.Universe["fail"].(*starlark.Builtin).CallInternal(thread, args, kwargs)
}

// guardGetattr keeps getattr(text, "format") and the like behind their guards.
func guardGetattr(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 1 {
		if name, ok := starlark.AsString(args[1]); ok {
			if method := guardedMethod(args[0], name); method != nil {
				return method, nil
			}
		}
	}
	return starlark.Universe["getattr"].(*starlark.Builtin).CallInternal(thread, args, kwargs)
}

// MostNotes bounds what a recipe prints.
const MostNotes = 100

// note is print: what a recipe prints becomes a note of the check, where host values show as they are written.
func note(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if _, err := dependent(args); err != nil {
		return nil, err
	}
	var text string
	inner := starlark.Thread{Print: func(_ *starlark.Thread, msg string) { text = msg }}
	if _, err := starlark.Universe["print"].(*starlark.Builtin).CallInternal(&inner, args, kwargs); err != nil {
		return nil, err
	}
	r := recordingOf(thread)
	if r.notes++; r.notes <= MostNotes {
		r.Mistakes = append(r.Mistakes, Mistake{Call: here(thread, b.Name()), Part: callee(), Diagnostic: diag.Diagnostic{
			Severity: diag.Note, Word: b.Name(), Code: CodeNote, Message: clip(text, 1000)}})
	}
	return starlark.None, nil
}
