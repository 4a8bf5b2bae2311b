// Package expr is the small intermediate form for what a plan cannot know when it is made: flags and facts of the
// host. An Expr is an immutable tree; it is evaluated at launch, by Eval in Go and by the text that Shell writes for
// POSIX sh. The two agree on every value and on every error.
//
// Rules:
//   - Integers are 64-bit. Overflow and division by zero are errors, never wrapped values. Division and remainder round
//     towards minus infinity, as Starlark's do.
//   - Every expression has one Kind, known without evaluating it. Sizes count bytes, durations milliseconds.
//   - What is not chosen is not computed: the other branch of cond, the other results of select, and the right side of
//     and and or where the left decides. An error there is none. All other arguments are computed, from left to right.
//   - A list has no text of its own: join says what goes between its elements. As an argument of a command it is an
//     argument for each of them.
//   - A path is declared below the root of the run: evaluating one puts Env.Root in front of it.
//   - In JSON a literal is itself (8080, "text", true) and everything else an object with one key, the operator:
//     {"flag":"port"}, {"mul":[{"host":"cpus"},2]}, {"fmt":["--port={}",{"flag":"port"}]}.
//
// To add a kind: the table of kinds here, Value.String, and what Shell leaves in a variable. To add an operator: its
// constant here, its rule in kind.go or choose.go, its value in eval.go or choose.go, and its text in shell*.go.
//
// Tests: tables for each operator, a round trip through JSON, and a differential test that runs random expressions
// through both back ends.
package expr

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is the static type of an expression.
type Kind string

// The kinds. Text is any string; Path is a string below the root of the run.
const (
	Int      Kind = "int"
	Bool     Kind = "bool"
	Text     Kind = "text"
	Path     Kind = "path"
	Size     Kind = "size"     // bytes
	Duration Kind = "duration" // milliseconds
	List     Kind = "list"     // texts without commas, none of them empty
)

// Numeric reports whether values of the kind are held as an integer that arithmetic accepts.
func (k Kind) Numeric() bool { return k == Int || k == Size || k == Duration }

// Scalar reports whether values of the kind are one thing, which can be compared and chosen.
func (k Kind) Scalar() bool { return k.Numeric() || k == Bool || k == Text || k == Path }

// Op is the operator of a node.
type Op string

// Literals and leaves, then operators over Args.
const (
	OpInt      Op = "int"      // Expr.Int
	OpBool     Op = "bool"     // Expr.Int is 0 or 1
	OpText     Op = "text"     // Expr.Text
	OpPath     Op = "path"     // Expr.Text, an absolute, clean path
	OpSize     Op = "size"     // Expr.Int, bytes
	OpDuration Op = "duration" // Expr.Int, milliseconds
	OpFlag     Op = "flag"     // Expr.Text, the flag's name
	OpHost     Op = "host"     // Expr.Text, the fact's name

	OpAdd   Op = "add"   // a + b
	OpSub   Op = "sub"   // a - b
	OpMul   Op = "mul"   // a * b
	OpDiv   Op = "div"   // a // b, rounding down
	OpMod   Op = "mod"   // a % b, with the sign of b
	OpMin   Op = "min"   // of one or more
	OpMax   Op = "max"   // of one or more
	OpClamp Op = "clamp" // value, low, high
	OpList  Op = "list"  // of text literals, each an element
	OpJoin  Op = "join"  // a list, and a text literal that goes between its elements
	OpFmt   Op = "fmt"   // a text literal with {} for each of the other arguments; {{ and }} stand for braces

	OpEq     Op = "eq" // a == b, of one kind
	OpNe     Op = "ne"
	OpLt     Op = "lt" // a < b, of numbers of one kind
	OpLe     Op = "le"
	OpGt     Op = "gt"
	OpGe     Op = "ge"
	OpAnd    Op = "and"    // of two truths; the second is computed if the first is true
	OpOr     Op = "or"     // of two truths; the second is computed if the first is false
	OpNot    Op = "not"    // of a truth
	OpCond   Op = "cond"   // a truth, the value if it is true, the value if it is false
	OpSelect Op = "select" // a value; a literal and the value if it equals that, repeated; and a value for none, or nothing
)

// Expr is one node. The zero Expr stands for "absent" and must not be evaluated.
type Expr struct {
	Op   Op
	Int  int64
	Text string
	Args []Expr
}

// IsZero reports whether e is absent; encoding/json's omitzero asks for it.
func (e Expr) IsZero() bool { return e.Op == "" }

// IntOf, BoolOf, TextOf, PathOf, SizeOf and DurationOf make literals; FlagOf and HostOf make leaves.
func IntOf(v int64) Expr { return Expr{Op: OpInt, Int: v} }

// BoolOf makes a literal truth value.
func BoolOf(v bool) Expr {
	if v {
		return Expr{Op: OpBool, Int: 1}
	}
	return Expr{Op: OpBool}
}

// TextOf makes a literal string.
func TextOf(s string) Expr { return Expr{Op: OpText, Text: s} }

// PathOf makes a declared path: absolute and clean, without the root of a run.
func PathOf(s string) Expr { return Expr{Op: OpPath, Text: s} }

// SizeOf makes a literal size in bytes.
func SizeOf(v int64) Expr { return Expr{Op: OpSize, Int: v} }

// DurationOf makes a literal duration in milliseconds.
func DurationOf(ms int64) Expr { return Expr{Op: OpDuration, Int: ms} }

// FlagOf refers to the value of a flag.
func FlagOf(name string) Expr { return Expr{Op: OpFlag, Text: name} }

// HostOf refers to a fact of the host: one of FactKinds.
func HostOf(fact string) Expr { return Expr{Op: OpHost, Text: fact} }

// ListOf makes a literal list; CheckElement tells what may be in it.
func ListOf(elements ...string) Expr {
	e := Expr{Op: OpList, Args: make([]Expr, len(elements))}
	for i, element := range elements {
		e.Args[i] = TextOf(element)
	}
	return e
}

// Call makes an operator node.
func Call(op Op, args ...Expr) Expr { return Expr{Op: op, Args: slices.Clone(args)} }

// Fmt makes a format node; format's placeholders are not checked here but by Check.
func Fmt(format string, args ...Expr) Expr {
	return Expr{Op: OpFmt, Args: append([]Expr{TextOf(format)}, args...)}
}

// Constant reports whether e depends on neither flags nor the host.
func (e Expr) Constant() bool {
	constant := true
	e.Walk(func(n Expr) { constant = constant && n.Op != OpFlag && n.Op != OpHost })
	return constant
}

// Fixed reports whether e comes to the same on every host and below every root: it is Constant and names no path.
func (e Expr) Fixed() bool {
	fixed := e.Constant()
	e.Walk(func(n Expr) { fixed = fixed && n.Op != OpPath })
	return fixed
}

// Sources names what e is computed from, each once, in the order of the expression: flag "workers", host.cpus.
func (e Expr) Sources() []string {
	var names []string
	e.Walk(func(n Expr) {
		name := ""
		switch n.Op {
		case OpFlag:
			name = fmt.Sprintf("flag %q", n.Text)
		case OpHost:
			name = "host." + n.Text
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// Names reports whether e names the flag itself, not by the default of another.
func (e Expr) Names(flag string) bool {
	names := false
	e.Walk(func(n Expr) { names = names || n.Op == OpFlag && n.Text == flag })
	return names
}

// Walk calls visit for e and every node below it, parents first.
func (e Expr) Walk(visit func(Expr)) {
	visit(e)
	for _, a := range e.Args {
		a.Walk(visit)
	}
}

// FactKinds lists the facts of a host and their kinds: cpus that this process may use, memory in bytes (MemTotal), the
// node name and the machine's name for its architecture (uname -n, uname -m).
func FactKinds() map[string]Kind {
	return map[string]Kind{"cpus": Int, "memory": Size, "name": Text, "arch": Text}
}

// SplitFormat cuts a format into its literal parts: one more than it has placeholders. It fails on a brace that is
// neither {} nor doubled.
func SplitFormat(format string) ([]string, error) {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '{' && c != '}' {
			part.WriteByte(c)
			continue
		}
		if i+1 < len(format) && format[i+1] == c {
			part.WriteByte(c)
			i++
			continue
		}
		if c == '{' && i+1 < len(format) && format[i+1] == '}' {
			parts = append(parts, part.String())
			part.Reset()
			i++
			continue
		}
		return nil, fmt.Errorf("a single %q at byte %d: write {} for a value, or %s for the brace itself", string(c), i, strings.Repeat(string(c), 2))
	}
	return append(parts, part.String()), nil
}
