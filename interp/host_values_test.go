package interp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/expr"
)

// kindOfHost is a flag with the values that it may come to, as Starlark writes them. x stands for the flag, or for one of
// the values, in what is evaluated.
type kindOfHost struct {
	declared string
	values   []string
	kind     expr.Kind
}

func kindsOfHost() []kindOfHost {
	return []kindOfHost{
		{`flag("x", type = "int", default = 1)`, []string{"0", "1", "2"}, expr.Int},
		{`flag("x", type = "string", default = "a")`, []string{`""`, `"a"`, `"%s"`}, expr.Text},
		{`flag("x", type = "bool", default = True)`, []string{"False", "True"}, expr.Bool},
	}
}

// outcome is what became of a text with a host value in it.
type outcome string

const (
	refused outcome = "refused" // with a diagnostic
	carried outcome = "carried" // an answer that a host makes the right one
	wrong   outcome = "wrong"   // a silent wrong answer
)

// globals runs statements as a recipe's, and gives their names and the diagnostics.
func globals(src string) (starlark.StringDict, diag.List) {
	e := newEvaluation("x.star", Options{Steps: 100_000})
	found := e.run(&source{name: "x.star", text: src})
	return found, e.list
}

// resolved puts what a host would compute in the place of host values.
func resolved(t *testing.T, v starlark.Value, env *expr.Env) starlark.Value {
	t.Helper()
	switch v := v.(type) {
	case *builtins.Value:
		result, err := v.Expr().Eval(env)
		if err != nil {
			return starlark.String("error: " + err.Error())
		}
		switch result.Kind {
		case expr.Int:
			return starlark.MakeInt64(result.Int)
		case expr.Bool:
			return starlark.Bool(result.Int != 0)
		}
		return starlark.String(result.Text)
	case starlark.Tuple:
		items := starlark.Tuple{}
		for _, x := range v {
			items = append(items, resolved(t, x, env))
		}
		return items
	case *starlark.List:
		items := []starlark.Value{}
		for i := range v.Len() {
			items = append(items, resolved(t, v.Index(i), env))
		}
		return starlark.NewList(items)
	case *starlark.Dict:
		d := new(starlark.Dict)
		for _, kv := range v.Items() {
			if err := d.SetKey(kv[0], resolved(t, kv[1], env)); err != nil {
				t.Fatal(err)
			}
		}
		return d
	}
	return v
}

// valueOf is a value of Starlark as a flag has it.
func valueOf(t *testing.T, v starlark.Value) expr.Value {
	t.Helper()
	switch v := v.(type) {
	case starlark.Int:
		n, _ := v.Int64()
		return expr.Value{Kind: expr.Int, Int: n}
	case starlark.Bool:
		value := expr.Value{Kind: expr.Bool}
		if v {
			value.Int = 1
		}
		return value
	case starlark.String:
		return expr.Value{Kind: expr.Text, Text: string(v)}
	}
	t.Fatalf("%v is no value of a flag", v)
	return expr.Value{}
}

// ordinary is what Starlark itself makes of a text with a value for x.
func ordinary(value, body string) (starlark.StringDict, error) {
	return starlark.ExecFileOptions(dialect(), &starlark.Thread{Print: func(*starlark.Thread, string) {}}, "x.star", "x = "+value+"\n"+body+"\n", nil)
}

// try evaluates body, statements that give r a value, with a host value for x, and then with each value that it may come
// to. The host value must be refused with words that help, or come to what the value itself gives.
func (k kindOfHost) try(t *testing.T, body string) (outcome, string) {
	t.Helper()
	host, list := globals("x = " + k.declared + "\n" + body + "\n")
	if list.Failed() {
		return refused, k.refusal(list, body)
	}
	for _, value := range k.values {
		plain, err := ordinary(value, body)
		env := &expr.Env{Flags: map[string]expr.Value{"x": valueOf(t, plain["x"])}}
		got := resolved(t, host["r"], env)
		if err != nil {
			if strings.Contains(got.String(), `"error: division by zero"`) {
				continue
			}
			return wrong, fmt.Sprintf("x = %s is an error of Starlark, the host value gives %s", value, host["r"])
		}
		if want := plain["r"]; got.String() != want.String() {
			return wrong, fmt.Sprintf("x = %s gives %s, the host value %s", value, want, got)
		}
	}
	return carried, ""
}

// refusal judges the words. Starlark's own error will do where it would be one for every value as well.
func (k kindOfHost) refusal(list diag.List, body string) string {
	text := list.String()
	for _, foreign := range []string{"starlark.", "builtins.", "expr.", "host value value", "<nil>", "panic"} {
		if strings.Contains(text, foreign) {
			return fmt.Sprintf("the diagnostic speaks of %s:\n%s", foreign, text)
		}
	}
	if strings.Contains(text, "hint:") {
		return ""
	}
	for _, value := range k.values {
		if _, err := ordinary(value, body); err == nil {
			return fmt.Sprintf("x = %s works, and the refusal has no way out:\n%s", value, text)
		}
	}
	return ""
}

// seen collects outcomes by what was tried, and fails for wrong answers and for refusals without help.
func (s seen) add(t *testing.T, what, body string, kinds ...kindOfHost) {
	t.Helper()
	if kinds == nil {
		kinds = kindsOfHost()
	}
	for _, k := range kinds {
		o, why := k.try(t, body)
		if why != "" {
			t.Errorf("%s (%s): %s\n%s", what, k.kind, body, why)
		}
		if !slices.Contains(s[what], o) {
			s[what] = append(s[what], o)
		}
	}
}

type seen map[string][]outcome
