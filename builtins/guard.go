package builtins

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/interp/diag"
)

// A value of the host must never give a silent wrong answer, and its own methods cannot see to that: Starlark's ==
// between unlike types is False without asking either, and Truth cannot fail. Package interp therefore puts every
// condition, comparison, % and .format through a guard. The names of guards are operators and keywords, which no
// recipe can spell as a name, so that no recipe can call or replace one.

// Guard names the guard of an operator or keyword, and reports whether it has one.
func Guard(op syntax.Token) (string, bool) {
	switch op {
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE, syntax.IN, syntax.NOT_IN, syntax.PERCENT, syntax.STAR:
		return op.String(), true
	case syntax.IF, syntax.AND, syntax.OR, syntax.NOT:
		return op.String(), true
	}
	return "", false
}

// GuardFormat is the guard of an attribute named format, GuardInPlace that of y in x[i] %= y and x[i] *= y.
const (
	GuardFormat  = ".format"
	GuardInPlace = "%="
)

// IsGuard reports whether a name is that of a guard.
func IsGuard(name string) bool {
	return name == GuardFormat || keywords[name] || name == "" || !isLetter(name[0])
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// guards are the guards by name.
func guards() starlark.StringDict {
	d := starlark.StringDict{GuardFormat: starlark.NewBuiltin(GuardFormat, guardFormat)}
	for _, op := range []syntax.Token{syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE, syntax.IN, syntax.NOT_IN} {
		d[op.String()] = starlark.NewBuiltin(op.String(), guardComparison(op))
	}
	for _, op := range []syntax.Token{syntax.IF, syntax.AND, syntax.OR, syntax.NOT} {
		d[op.String()] = starlark.NewBuiltin(op.String(), guardTruth)
	}
	d[GuardInPlace] = starlark.NewBuiltin(GuardInPlace, guardInPlace)
	d[syntax.STAR.String()] = starlark.NewBuiltin(syntax.STAR.String(), guardTimes)
	d[syntax.PERCENT.String()] = starlark.NewBuiltin(syntax.PERCENT.String(), guardPercent)
	return d
}

type function = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

// refuse reports a host value where it cannot stand, at the positional argument of that index.
func refuse(thread *starlark.Thread, word string, index int, v starlark.Value, message, hint string) starlark.Value {
	r := recordingOf(thread)
	r.report(here(thread, word), Part{Index: index, Element: -1}, diag.Diagnostic{Code: CodeHostValue,
		Message: message + ": " + onlyOnHost, Found: show(v), Hint: hint})
	return unknown{}
}

// guardTruth passes a condition on unless it is a host value.
func guardTruth(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if v, ok := args[0].(*Value); ok {
		return refuse(thread, b.Name(), 0, v, fmt.Sprintf("%s cannot decide anything here", v), hintCompare), nil
	}
	return args[0], nil
}

func guardComparison(op syntax.Token) function {
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		x, y := args[0], args[1]
		if isUnknown(x) || isUnknown(y) {
			return unknown{}, nil
		}
		if i, v := clash(op, x, y); v != nil {
			return refuse(thread, b.Name(), i, v, fmt.Sprintf("%s cannot be compared", v), hintCompare), nil
		}
		switch op {
		case syntax.IN, syntax.NOT_IN:
			return starlark.Binary(op, x, y)
		}
		ok, err := starlark.Compare(op, x, y)
		return starlark.Bool(ok), err
	}
}

// clash finds the operand of a comparison that has no answer yet. Beside None there is one: no host value is None. Two
// handles are compared as things.
func clash(op syntax.Token, x, y starlark.Value) (int, starlark.Value) {
	if op == syntax.IN || op == syntax.NOT_IN {
		list, ok := y.(starlark.Sequence)
		if _, mapping := y.(starlark.Mapping); ok && !mapping {
			return clashElements(x, list)
		}
		return 0, dependent(x, 0)
	}
	if x == starlark.None || y == starlark.None || isHandle(x) && isHandle(y) {
		return 0, nil
	}
	if v := dependent(x, 0); v != nil {
		return 0, v
	}
	return 1, dependent(y, 0)
}

func clashElements(x starlark.Value, list starlark.Sequence) (int, starlark.Value) {
	if _, ok := x.(*Value); ok {
		return 0, x
	}
	iter := list.Iterate()
	defer iter.Done()
	var y starlark.Value
	for iter.Next(&y) {
		if i, v := clash(syntax.EQL, x, y); v != nil {
			return i, v
		}
	}
	return 0, nil
}

func isUnknown(v starlark.Value) bool { _, ok := v.(unknown); return ok }
func isHandle(v starlark.Value) bool  { _, ok := v.(*Handle); return ok }

// deepest bounds the search for host values in lists of lists; Starlark's comparison gives up before.
const deepest = 20

// dependent finds a host value, or a handle whose path has a root in front on the host, in v or its items.
func dependent(v starlark.Value, depth int) starlark.Value {
	switch v := v.(type) {
	case *Value:
		return v
	case *Handle:
		if !v.path.IsZero() {
			return v
		}
	case *starlark.Dict:
		for _, kv := range v.Items() {
			if found := dependent(kv[1], depth+1); found != nil && depth < deepest {
				return found
			}
		}
	case *starlark.List:
		for i := 0; i < v.Len() && depth < deepest; i++ {
			if found := dependent(v.Index(i), depth+1); found != nil {
				return found
			}
		}
	case starlark.Tuple:
		for i := 0; i < v.Len() && depth < deepest; i++ {
			if found := dependent(v[i], depth+1); found != nil {
				return found
			}
		}
	}
	return nil
}

// HintHostValue says what a host value is good for.
const HintHostValue = "fmt, min_of, max_of, clamp and + - * // % work on such values"

const hintFmt = `fmt does it on the host: fmt("--name={}", value)`

// guardPercent is %: of numbers the remainder, of texts the formatting that host values cannot take part in.
func guardPercent(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	x, y := args[0], args[1]
	if isUnknown(x) || isUnknown(y) {
		return unknown{}, nil
	}
	if _, ok := x.(starlark.String); ok {
		if v := dependent(y, 0); v != nil {
			return refuse(thread, b.Name(), 1, v, fmt.Sprintf("%s cannot be turned into text here", v), hintFmt), nil
		}
	}
	return starlark.Binary(syntax.PERCENT, x, y)
}

// guardInPlace takes what is known now.
func guardInPlace(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if v := dependent(args[0], 0); v != nil {
		return refuse(thread, b.Name(), 0, v, fmt.Sprintf("%s cannot be used in place", v), "write x[i] = x[i] % y, with fmt where x[i] is a text"), nil
	}
	if n, ok := args[0].(starlark.Int); ok && n.BigInt().BitLen() > 16 {
		return nil, tooLarge("a factor")
	}
	return args[0], nil
}

// mostItems bounds what one operation may make: characters, items, or bits of a number. A million items are 16 MB.
const mostItems = 1_000_000

func tooLarge(what string) error {
	return &refusal{code: CodeTooLarge, message: fmt.Sprintf("%s would be too large: more than %d", what, mostItems), hint: "a recipe describes; look for a number with too many digits"}
}

// guardTimes is *, bounded: Starlark itself repeats a list up to a thousand million times.
func guardTimes(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	x, y := args[0], args[1]
	if isUnknown(x) || isUnknown(y) {
		return unknown{}, nil
	}
	n, ok := x.(starlark.Int)
	other := y
	if !ok {
		n, ok = y.(starlark.Int)
		other = x
	}
	if ok {
		switch other := other.(type) {
		case starlark.Int:
			if n.BigInt().BitLen()+other.BigInt().BitLen() > mostItems {
				return nil, tooLarge("the number")
			}
		case starlark.Sequence, starlark.Indexable:
			times, small := n.Int64()
			if items := starlark.Len(other); !small && n.Sign() > 0 || items > 0 && times > mostItems/int64(items) {
				return nil, tooLarge("the result")
			}
		}
	}
	return starlark.Binary(syntax.STAR, x, y)
}

// guardFormat is X.format: of a text, the method without host values.
func guardFormat(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	text, ok := args[0].(starlark.String)
	if !ok {
		return starlark.Call(thread, starlark.Universe["getattr"], starlark.Tuple{args[0], starlark.String("format")}, nil)
	}
	return textFormat(text), nil
}

func textFormat(text starlark.String) starlark.Value {
	return starlark.NewBuiltin("format", func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		for i, v := range args {
			if found := dependent(v, 0); found != nil {
				return refuse(thread, b.Name(), i, found, fmt.Sprintf("%s cannot be turned into text here", found), hintFmt), nil
			}
		}
		for _, kv := range kwargs {
			if found := dependent(kv[1], 0); found != nil {
				return refuse(thread, b.Name(), -1, found, fmt.Sprintf("%s cannot be turned into text here", found), hintFmt), nil
			}
		}
		method, err := text.Attr("format")
		if err != nil {
			return nil, err
		}
		return starlark.Call(thread, method, args, kwargs)
	})
}

// wrapped are the words of Starlark that would answer wrongly, or without the right hint, about a host value.
func wrapped() starlark.StringDict {
	const (
		toText  = "cannot be turned into text here"
		toTruth = "cannot decide anything here"
		toOrder = "cannot be compared here"
		toCount = "cannot be counted or walked through here"
	)
	d := starlark.StringDict{}
	for _, w := range []struct{ name, message, hint string }{
		{"str", toText, hintFmt}, {"repr", toText, hintFmt}, {"bool", toTruth, hintCompare}, {"any", toTruth, hintCompare}, {"all", toTruth, hintCompare},
		{"max", toOrder, "write max_of(...)"}, {"min", toOrder, "write min_of(...)"}, {"sorted", toOrder, HintHostValue},
		{"len", toCount, HintHostValue}, {"range", toCount, HintHostValue}, {"int", "is no number yet", "numbers of the host are used as they are: host.cpus * 2"}, {"float", "is no number yet", HintHostValue},
	} {
		d[w.name] = starlark.NewBuiltin(w.name, guardWord(starlark.Universe[w.name].(*starlark.Builtin), w.message, w.hint))
	}
	d["getattr"] = starlark.NewBuiltin("getattr", guardGetattr)
	d["print"] = starlark.NewBuiltin("print", note)
	return d
}

func guardWord(plain *starlark.Builtin, message, hint string) function {
	countsItems := plain.Name() == "len"
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		for i, v := range args {
			if isUnknown(v) {
				return unknown{}, nil
			}
			found := dependent(v, 0)
			if countsItems && found != v {
				continue // a list may hold host values and be counted
			}
			if found != nil {
				return refuse(thread, b.Name(), i, found, fmt.Sprintf("%s %s", found, message), hint), nil
			}
		}
		result, err := plain.CallInternal(thread, args, kwargs)
		if plain.Name() == "range" && err == nil && starlark.Len(result) > mostItems {
			return nil, tooLarge("the range")
		}
		return result, err
	}
}

// guardGetattr keeps getattr(text, "format") behind its guard.
func guardGetattr(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 1 {
		text, ok := args[0].(starlark.String)
		if name, named := args[1].(starlark.String); ok && named && name == "format" {
			return textFormat(text), nil
		}
	}
	return starlark.Universe["getattr"].(*starlark.Builtin).CallInternal(thread, args, kwargs)
}

// mostNotes bounds what a recipe prints.
const mostNotes = 100

// note is print: what a recipe prints becomes a note of the check, where host values show as they are written.
func note(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	inner := starlark.Thread{Print: func(_ *starlark.Thread, msg string) { text = msg }}
	if _, err := starlark.Universe["print"].(*starlark.Builtin).CallInternal(&inner, args, kwargs); err != nil {
		return nil, err
	}
	r := recordingOf(thread)
	if r.notes++; r.notes <= mostNotes {
		r.Mistakes = append(r.Mistakes, Mistake{Call: here(thread, b.Name()), Part: callee(), Diagnostic: diag.Diagnostic{
			Severity: diag.Note, Word: b.Name(), Code: CodeNote, Message: clip(text, 1000)}})
	}
	return starlark.None, nil
}

// Environment is every name of the language, for one recording: the words, host, the guards, and the words of Starlark that are replaced.
func Environment(r *Recording) starlark.StringDict {
	d := guards()
	for name, v := range wrapped() {
		d[name] = v
	}
	words := Words()
	for i := range words {
		if words[i].run != nil {
			d[words[i].Name] = words[i].builtin()
		}
	}
	d["host"] = host{r}
	return d
}

// Names are the names that a recipe can spell, for hints.
func Names(env starlark.StringDict) []string {
	names := []string{}
	for _, d := range []starlark.StringDict{starlark.Universe, env} {
		for _, name := range d.Keys() {
			if !IsGuard(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

var keywords = map[string]bool{"if": true, "and": true, "or": true, "not": true, "in": true, "not in": true}
