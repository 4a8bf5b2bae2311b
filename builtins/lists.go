package builtins

import (
	"fmt"
	"sort"
	"strings"

	"go.starlark.net/starlark"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// elements reads each item of a list; what could not be read is the zero value, so that places stay right.
func elements[T any](it *item, v starlark.Value, read func(*item, starlark.Value) any) ([]T, bool) {
	var iterable starlark.Sequence
	switch v := v.(type) {
	case *starlark.List:
		iterable = v
	case starlark.Tuple:
		iterable = v
	default:
		hint := ""
		if v, ok := v.(starlark.String); ok {
			hint = fmt.Sprintf("write a list: [%s]", clip(v.String(), 60))
			if words := strings.Fields(string(v)); it.parameter.Type.Name == commandName && len(words) > 1 {
				hint = fmt.Sprintf("write a list: %s", clip(quoted(words), 120))
			}
		}
		it.mismatch(v, it.parameter.Type.Accepted, hint)
		return nil, false
	}
	list := make([]T, 0, iterable.Len())
	iter := iterable.Iterate()
	defer iter.Done()
	var x starlark.Value
	for i := 0; iter.Next(&x); i++ {
		e := it.element(i)
		if _, ok := x.(unknown); ok {
			it.call.spoil(e.part)
			x = nil
		}
		var value T
		if x != nil {
			value, _ = read(e, x).(T)
		}
		list = append(list, value)
	}
	return list, true
}

func readCommand(it *item, v starlark.Value) any {
	list, ok := elements[expr.Expr](it, v, readValue)
	if !ok {
		return nil
	}
	for i, e := range list {
		if e.IsZero() {
			list[i] = expr.TextOf("") // a placeholder for what has been reported
		}
	}
	return list
}

func readTexts(it *item, v starlark.Value) any {
	list, ok := elements[string](it, v, func(e *item, x starlark.Value) any {
		switch x := x.(type) {
		case starlark.String:
			return string(x)
		case *Handle:
			if x.word == "service" {
				return x.name
			}
		}
		return e.mismatch(x, "a text", "")
	})
	if !ok {
		return nil
	}
	return list
}

func readEnviron(it *item, v starlark.Value) any {
	d, ok := v.(*starlark.Dict)
	if !ok {
		return it.mismatch(v, it.parameter.Type.Accepted, "")
	}
	list := []plan.Variable{}
	for _, kv := range d.Items() {
		name, ok := kv[0].(starlark.String)
		if !ok {
			if _, reported := kv[0].(unknown); !reported {
				it.mismatch(kv[0], "texts as names", "")
			}
			continue
		}
		e := it.entry(string(name))
		if _, reported := kv[1].(unknown); reported {
			it.call.spoil(e.part)
			continue
		}
		if value, ok := readValue(e, kv[1]).(expr.Expr); ok {
			list = append(list, plan.Variable{Name: string(name), Value: value})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// commandName tells the type of a command from those of other lists.
const commandName = "list of values"

// quoted writes words as a recipe's list.
func quoted(words []string) string {
	list := make([]starlark.Value, len(words))
	for i, w := range words {
		list[i] = starlark.String(w)
	}
	return starlark.NewList(list).String()
}
