package builtins

import (
	"fmt"
	"maps"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
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

// GuardInPlace is the guard of y in x[i] %= y and x[i] *= y.
const GuardInPlace = "%="

// GuardAttribute names the guard of an attribute, and reports whether it has one: a text's format, and the methods of a
// list that compare.
func GuardAttribute(name string) (string, bool) {
	switch name {
	case "format", "index", "remove":
		return "." + name, true
	}
	return "", false
}

// IsGuard reports whether a name is that of a guard.
func IsGuard(name string) bool {
	return keywords[name] || name == "" || !isLetter(name[0])
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// guards are the guards by name.
func guards() starlark.StringDict {
	d := starlark.StringDict{}
	for _, attr := range []string{"format", "index", "remove"} {
		name, _ := GuardAttribute(attr)
		d[name] = starlark.NewBuiltin(name, guardAttribute(attr))
	}
	for _, op := range []syntax.Token{syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE, syntax.IN, syntax.NOT_IN} {
		d[op.String()] = starlark.NewBuiltin(op.String(), guardComparison(op))
	}
	for _, op := range []syntax.Token{syntax.IF, syntax.AND, syntax.OR, syntax.NOT} {
		d[op.String()] = starlark.NewBuiltin(op.String(), guardTruth)
	}
	condGuards(d)
	d[GuardInPlace] = starlark.NewBuiltin(GuardInPlace, guardInPlace)
	d[syntax.STAR.String()] = starlark.NewBuiltin(syntax.STAR.String(), guardTimes)
	d[syntax.PERCENT.String()] = starlark.NewBuiltin(syntax.PERCENT.String(), guardPercent)
	return d
}

type function = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

// refuse reports a host value where it cannot stand, at the positional argument of that index.
func refuse(thread *starlark.Thread, word string, index int, v starlark.Value, message, hint string) starlark.Value {
	return refusePart(thread, word, Part{Index: index, Element: -1}, v, message, hint)
}

func refusePart(thread *starlark.Thread, word string, part Part, v starlark.Value, message, hint string) starlark.Value {
	r := recordingOf(thread)
	r.report(here(thread, word), part, diag.Diagnostic{Code: CodeHostValue,
		Message: message + ": " + why(v), Found: show(v), Hint: hint})
	return unknown{}
}

// guardTruth passes a condition on unless it is a host value.
func guardTruth(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if v, ok := args[0].(*Value); ok {
		return refuse(thread, b.Name(), 0, v, fmt.Sprintf("%s cannot decide anything here", v), hintTruth), nil
	}
	return args[0], nil
}

func guardComparison(op syntax.Token) function {
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		x, y := args[0], args[1]
		if isUnknown(x) || isUnknown(y) {
			return unknown{}, nil
		}
		i, v, err := clash(op, x, y)
		if err != nil {
			return nil, err
		}
		if v != nil {
			hint := hintCompare
			if op == syntax.IN || op == syntax.NOT_IN {
				hint = hintIn
			}
			return refuse(thread, b.Name(), i, v, fmt.Sprintf("%s cannot be compared", v), hint), nil
		}
		switch op {
		case syntax.IN, syntax.NOT_IN:
			return starlark.Binary(op, x, y)
		}
		ok, err := starlark.Compare(op, x, y)
		return starlark.Bool(ok), err
	}
}

// clash finds the operand of a comparison that has no answer yet, and its index. Beside None there is one: no host value
// is None. Two handles are compared as things.
func clash(op syntax.Token, x, y starlark.Value) (int, starlark.Value, error) {
	if op == syntax.IN || op == syntax.NOT_IN {
		list, ok := y.(starlark.Sequence)
		if _, mapping := y.(starlark.Mapping); ok && !mapping {
			return clashElements(x, list)
		}
		v, err := dependent(x)
		return 0, v, err
	}
	if x == starlark.None || y == starlark.None || isHandle(x) && isHandle(y) {
		return 0, nil, nil
	}
	if v, err := dependent(x); v != nil || err != nil {
		return 0, v, err
	}
	v, err := dependent(y)
	return 1, v, err
}

func clashElements(x starlark.Value, list starlark.Sequence) (int, starlark.Value, error) {
	if _, ok := x.(*Value); ok {
		return 0, x, nil
	}
	iter := list.Iterate()
	defer iter.Done()
	var y starlark.Value
	for iter.Next(&y) {
		if i, v, err := clash(syntax.EQL, x, y); v != nil || err != nil {
			return i, v, err
		}
	}
	return 0, nil, nil
}

func isUnknown(v starlark.Value) bool { _, ok := v.(unknown); return ok }
func isHandle(v starlark.Value) bool  { _, ok := v.(*Handle); return ok }

// Environment is every name of the language, for one recording: the words, host, the guards, and the words of Starlark that are replaced.
func Environment(r *Recording) starlark.StringDict {
	d := maps.Clone(shared())
	d["host"] = host{r}
	return d
}

// shared is what belongs to no recording: a word finds its own by the thread that it runs on. Making it takes as long as the
// evaluation of a small recipe.
var shared = sync.OnceValue(func() starlark.StringDict {
	d := guards()
	maps.Copy(d, wrapped())
	words := Words()
	for i := range words {
		if words[i].run != nil {
			d[words[i].Name] = words[i].builtin()
		}
	}
	return d
})

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
