package builtins

import (
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// unknown stands for a value that a mistake has already been reported about. Every word and operator takes it in
// silence, so that one mistake is one diagnostic and evaluation can go on to the next.
type unknown struct{}

// Unknown is the value that stands for a name that could not be resolved or loaded.
func Unknown() starlark.Value { return unknown{} }

// UnknownType is what Starlark's messages call it: an error that names it is the consequence of another.
const UnknownType = "unknown value"

var (
	_ starlark.HasBinary = unknown{}
	_ starlark.HasUnary  = unknown{}
	_ starlark.HasAttrs  = unknown{}
	_ starlark.Callable  = unknown{}
	_ starlark.Mapping   = unknown{}
	_ starlark.Iterable  = unknown{}
)

func (unknown) String() string                                   { return "?" }
func (unknown) Type() string                                     { return UnknownType }
func (unknown) Freeze()                                          {}
func (unknown) Truth() starlark.Bool                             { return false }
func (unknown) Hash() (uint32, error)                            { return 0, nil }
func (unknown) Name() string                                     { return UnknownType }
func (unknown) Attr(string) (starlark.Value, error)              { return unknown{}, nil }
func (unknown) AttrNames() []string                              { return nil }
func (unknown) Get(starlark.Value) (starlark.Value, bool, error) { return unknown{}, true, nil }
func (unknown) Iterate() starlark.Iterator                       { return nothing{} }
func (unknown) Unary(syntax.Token) (starlark.Value, error)       { return unknown{}, nil }
func (unknown) Binary(syntax.Token, starlark.Value, starlark.Side) (starlark.Value, error) {
	return unknown{}, nil
}

func (unknown) CallInternal(*starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return unknown{}, nil
}

type nothing struct{}

func (nothing) Next(*starlark.Value) bool { return false }
func (nothing) Done()                     {}
