package builtins

import (
	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// Word is one word of the language: the entry that unpacks its arguments, reports their mistakes and documents it.
type Word struct {
	Name       string
	Doc        string // a sentence or two
	Example    string // a recipe, or the part of one that says something about the word
	Declares   bool   // records into the plan, so that a loaded module's own statements cannot use it
	InTests    bool   // in test files alone
	Parameters []Parameter

	run       func(r *Recording, a *arguments) starlark.Value
	attribute func(r *Recording) starlark.Value // of a word that is no function, where it is computed when asked for
}

// Parameter is one argument of a word. A Positional one may be given without its name; a Rest one takes all further
// positional arguments. Default is nil for one that may be left out to mean "none", and is ignored when Required.
type Parameter struct {
	Name       string
	Type       *Type
	Default    starlark.Value
	Doc        string
	Required   bool
	Positional bool
	Rest       bool
	OrNone     bool // None is a value like any other
	Choices    []string
}

// Type is what a parameter takes: a name for the documentation, and how a value is read into what the plan holds. read
// reports a fault to the item and returns nil then.
type Type struct {
	Name     string
	Accepted string
	read     func(it *item, v starlark.Value) any
}

// arguments are what a call gave, read by the word's table.
type arguments struct {
	recording *Recording
	call      *Call
	values    []any // by parameter; nil when absent or at fault
	raw       []starlark.Value
}

func (a *arguments) index(name string) int {
	for i := range a.call.word.Parameters {
		if a.call.word.Parameters[i].Name == name {
			return i
		}
	}
	panic("no parameter " + name + " of " + a.call.Word)
}

// get returns the value of a parameter, or the zero value when it is absent or was at fault.
func get[T any](a *arguments, name string) T {
	v, _ := a.values[a.index(name)].(T)
	return v
}

// given returns what the caller wrote for a parameter, or nil.
func (a *arguments) given(name string) starlark.Value { return a.raw[a.index(name)] }

// item is one value being read: an argument, or an element of one.
type item struct {
	recording *Recording
	call      *Call
	parameter *Parameter
	part      Part
}

// fault reports what is wrong with the item.
func (it *item) fault(d diag.Diagnostic) any {
	it.recording.report(it.call, it.part, d)
	return nil
}

// mismatch reports a value of another type than the parameter's.
func (it *item) mismatch(v starlark.Value, accepted, hint string) any {
	if hint == "" {
		hint = it.suggest(v)
	}
	message := "this value is of the wrong type"
	if it.part.Parameter != "" {
		message = it.part.Parameter + " is of the wrong type"
	}
	if it.part.Element >= 0 || it.part.Key != "" {
		message = "an item of " + it.part.Parameter + " is of the wrong type"
	}
	return it.fault(diag.Diagnostic{Code: plan.CodeKind, Message: message, Found: show(v), Accepted: accepted, Hint: hint})
}

// element is the item of a list.
func (it *item) element(i int) *item {
	e := *it
	e.part.Element = i
	return &e
}

// entry is the value of a key in a dict.
func (it *item) entry(key string) *item {
	e := *it
	e.part.Key = key
	return &e
}

// read reads v by the type; mistakes reported before stay silent.
func (t *Type) readInto(it *item, v starlark.Value) any {
	if _, ok := v.(unknown); ok {
		it.call.spoil(it.part)
		return nil
	}
	return t.read(it, v)
}
