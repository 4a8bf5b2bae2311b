package builtins

import "go.starlark.net/starlark"

// text, number and no are defaults as a recipe writes them.
func text(s string) starlark.Value { return starlark.String(s) }
func number(n int) starlark.Value  { return starlark.MakeInt(n) }

const no = starlark.False

// Words returns the table of the language, in the order in which it is documented.
func Words() []Word {
	var all []Word
	for _, part := range [][]Word{declarations(), contents(), files(), steps(), probes(), sockets(), settingWords(), numbers()} {
		all = append(all, part...)
	}
	return all
}
