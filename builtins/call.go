package builtins

import (
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Site is where a word was called. Parameters are those of the function through which the arguments came, when the
// call that the author wrote is one of a function of the standard library. Chain has the innermost call first.
type Site struct {
	Pos        syntax.Position // of the opening parenthesis
	Parameters []string
	Indirect   bool // called by a word (sorted, say), so that no argument can be shown
	Chain      []starlark.CallFrame
}

// Call is one call of a word: what the places of mistakes are found from.
type Call struct {
	Word        string
	Site        Site
	word        *Word
	groupIsName bool          // of an account
	spoilt      map[Part]bool // parts that a mistake has been reported about
}

// Part is a part of a call. Parameter is a name; when it is empty, Index counts positional arguments. Element is the
// index in a list and Key the key in a dict, where one item of the argument is at fault. Keyword is the name that the
// caller wrote rather than its value. Function is the called word itself.
type Part struct {
	Parameter string
	Index     int
	Element   int // -1 when it is the whole argument
	Key       string
	Keyword   bool
	Function  bool
}

// Whole is the argument of that name.
func Whole(parameter string) Part { return Part{Parameter: parameter, Index: -1, Element: -1} }

// callee is the word itself.
func callee() Part { return Part{Index: -1, Element: -1, Function: true} }

// Position is the place that a parameter has among arguments without a name, or -1.
func (c *Call) Position(parameter string) int {
	for i, name := range c.positional() {
		if name == parameter {
			return i
		}
	}
	return -1
}

// Positioned is the parameter that an argument without a name at that place is read as, or "".
func (c *Call) Positioned(place int) string {
	if names := c.positional(); place < len(names) {
		return names[place]
	}
	return ""
}

func (c *Call) positional() []string {
	if c.Site.Parameters != nil {
		return c.Site.Parameters
	}
	var names []string
	if c.word != nil {
		for _, p := range c.word.Parameters {
			if p.Positional {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

func (c *Call) spoil(part Part) {
	if c.spoilt == nil {
		c.spoilt = map[Part]bool{}
	}
	c.spoilt[part] = true
}

// Spoilt reports whether a mistake has been reported about the part, the argument that it lies in, or something in it.
func (c *Call) Spoilt(part Part) bool {
	for p := range c.spoilt {
		if p.Function || p.Parameter == part.Parameter && (p.Element == part.Element && p.Key == part.Key || p.whole() || part.whole()) {
			return true
		}
	}
	return false
}

func (p Part) whole() bool { return p.Element < 0 && p.Key == "" }

// here is the call of the builtin that runs. Frames of the standard library are stepped over: a mistake in an argument
// belongs to the recipe that gave it.
func here(thread *starlark.Thread, word string) *Call {
	c := &Call{Word: word}
	depth := 1
	last := thread.CallStackDepth() - 1
	for depth < last && standard(thread.CallFrame(depth).Pos) {
		depth++
	}
	frame := thread.CallFrame(depth)
	c.Site.Pos = frame.Pos
	if depth > 1 {
		if f, ok := thread.DebugFrame(depth - 1).Callable().(*starlark.Function); ok {
			for i := range f.NumParams() {
				name, _ := f.Param(i)
				c.Site.Parameters = append(c.Site.Parameters, name)
			}
		}
	}
	if _, ok := thread.DebugFrame(depth).Callable().(*starlark.Function); !ok {
		c.Site.Indirect = true
	}
	if depth < last {
		c.Site.Chain = Chain(thread.CallStack(), depth)
	}
	return c
}

// operator stands for the operator or attribute that the running function has come to.
func (r *Recording) operator(word string) *Call {
	c := &Call{Word: word}
	depth, last := 0, r.thread.CallStackDepth()-1
	for depth < last && (r.thread.CallFrame(depth).Pos.Line == 0 || standard(r.thread.CallFrame(depth).Pos)) {
		depth++
	}
	c.Site.Pos = r.thread.CallFrame(depth).Pos
	if depth < last {
		c.Site.Chain = Chain(r.thread.CallStack(), depth)
	}
	return c
}

// refuseOperator records an error of a host value's own operator.
func (r *Recording) refuseOperator(op syntax.Token, err error) starlark.Value {
	r.report(r.operator(op.String()), callee(), Explain(err))
	return unknown{}
}

// Chain is the calls that led to the frame at depth, innermost first: what was called, and from where.
func Chain(stack starlark.CallStack, depth int) []starlark.CallFrame {
	var chain []starlark.CallFrame
	for i := depth; i+1 < len(stack); i++ {
		if caller := stack.At(i + 1); caller.Pos.Line > 0 && !IsGuard(stack.At(i).Name) {
			chain = append(chain, starlark.CallFrame{Name: stack.At(i).Name, Pos: caller.Pos})
		}
	}
	return chain
}

// StandardPrefix begins the names of the modules of the standard library.
const StandardPrefix = "@std//"

func standard(pos syntax.Position) bool {
	name := pos.Filename()
	return len(name) >= len(StandardPrefix) && name[:len(StandardPrefix)] == StandardPrefix
}
