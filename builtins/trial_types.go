package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

var (
	recipeType   = &Type{"recipe", `a path, as in "foo.star", or a function that declares`, readRecipe}              // string or starlark.Callable
	settingsType = &Type{"dict", `values of flags by name, as in {"port": 9000, "peers": ["a", "b"]}`, readSettings} // []string, name=value
	hostType     = &Type{"dict", `facts by name, as in {"cpus": 2, "memory": "1GiB"}`, readFacts}                    // *expr.Facts
)

func readRecipe(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		return string(v)
	case starlark.Callable:
		return v
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

// entries calls each for the entries of a dict with texts for keys.
func entries(it *item, v starlark.Value, each func(e *item, name string, v starlark.Value)) bool {
	d, ok := v.(*starlark.Dict)
	if !ok {
		it.mismatch(v, it.parameter.Type.Accepted, "")
		return false
	}
	for _, kv := range d.Items() {
		name, ok := starlark.AsString(kv[0])
		if !ok {
			it.mismatch(kv[0], "a text for each key", "")
			continue
		}
		each(it.entry(name), name, kv[1])
	}
	return true
}

func readSettings(it *item, v starlark.Value) any {
	sets := []string{}
	entries(it, v, func(e *item, name string, v starlark.Value) {
		text, ok := setting(v)
		if !ok {
			hint := "write it as an operator would, as a text"
			if isList(v) {
				hint = "no element is empty, holds a comma, or has white space at an end"
			}
			e.mismatch(v, "a text, a whole number, True or False, or a list of texts", hint)
			return
		}
		sets = append(sets, name+"="+text)
	})
	return sets
}

// setting writes a flag's value as an operator would.
func setting(v starlark.Value) (string, bool) {
	switch v := v.(type) {
	case starlark.String:
		return string(v), true
	case starlark.Int:
		return v.String(), true
	case starlark.Bool:
		return strings.ToLower(v.String()), true
	case *starlark.List:
		return listSetting(v)
	}
	return "", false
}

// listSetting writes a list, of which no element is two for whoever reads it.
func listSetting(v *starlark.List) (string, bool) {
	var texts []string
	for i := range v.Len() {
		text, ok := starlark.AsString(v.Index(i))
		if !ok || expr.CheckElement(text) != nil {
			return "", false
		}
		texts = append(texts, text)
	}
	return expr.JoinElements(texts), true
}

func readFacts(it *item, v starlark.Value) any {
	facts := TestFacts()
	text := *it.parameter
	entries(it, v, func(e *item, name string, v starlark.Value) {
		e.parameter = &text
		switch name {
		case "cpus":
			text.Type = intType
			if n, ok := readInt(e, v).(int64); ok {
				facts.CPUs = n
			}
		case "memory":
			text.Type = sizeType
			if n, ok := readSize(e, v).(plan.Size); ok {
				facts.Memory = int64(n)
			}
		case "name":
			text.Type = textType
			facts.Name, _ = readText(e, v).(string)
		case "arch":
			text.Type = textType
			facts.Arch, _ = readText(e, v).(string)
		default:
			names := []string{"cpus", "memory", "name", "arch"}
			e.part.Keyword = true
			e.fault(diag.Diagnostic{Code: CodeUnknownFact, Message: "a host has no such fact", Found: fmt.Sprintf("%q", name), Accepted: strings.Join(names, ", "), Hint: plan.Nearest(name, names)})
		}
	})
	return &facts
}
