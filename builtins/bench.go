package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Bench is what the words of test files stand on: package suite has it for each test.
type Bench interface {
	// Evaluate evaluates a recipe, by its path from the test's folder or as a function that declares it, and resolves it
	// under flags ("name=value") and facts.
	Evaluate(path string, declare starlark.Callable, sets []string, facts expr.Facts) (*Trial, *Fault)
	// Judge has a probe judge what is given in place of the service; the reason is empty for a healthy one.
	Judge(p Probed, given Given) (reason string)
	// Keep is a function as the plan of a recipe keeps it.
	Keep(f *starlark.Function) (*plan.Script, error)
	// Golden compares a text with a golden file.
	Golden(name, text string) *Fault
	// Catch calls a function and returns what would have failed the test.
	Catch(f starlark.Callable) diag.List
}

// Fault is what is wrong with an argument of a test's word.
type Fault struct {
	Parameter string
	diag.Diagnostic
}

// Trial is one evaluation that a test asked for. Plan is nil when the recipe is not sound, Resolved also when its flags
// cannot be had.
type Trial struct {
	Plan     *plan.Plan
	List     diag.List
	Resolved *Resolved

	call *Call
	read bool // the errors were looked at
}

// Call is the call of evaluate.
func (t *Trial) Call() *Call { return t.call }

// Unread reports whether there are errors that the test has not looked at.
func (t *Trial) Unread() bool { return t.List.Failed() && !t.read }

// Resolved is what a host makes of a plan: the values of its flags, and its services and tasks by name.
type Resolved struct {
	Env      *expr.Env
	Services map[string]*ResolvedService
}

// ResolvedService is what a service or a task is started with. Templates are texts by the path of their file.
type ResolvedService struct {
	Command   []string
	Env       map[string]string
	Templates map[string]string
}

// TestFacts are the host of evaluate, but for what a test says otherwise. They are the same on every machine.
func TestFacts() expr.Facts {
	return expr.Facts{CPUs: 4, Memory: 8 << 30, Name: "host", Arch: "x86_64"}
}

// TestEnvironment is the words that test files have besides those of recipes.
func TestEnvironment(b Bench) starlark.StringDict {
	d := starlark.StringDict{}
	assert := namespace{name: "assert", members: starlark.StringDict{}}
	words := TestWords(b)
	for i := range words {
		w := &words[i]
		if member, ok := assert.has(w.Name); ok {
			assert.members[member] = w.builtin()
		} else {
			d[w.Name] = w.builtin()
		}
	}
	d[assert.name] = assert
	return d
}

// namespace is a name with members, such as assert.
type namespace struct {
	name    string
	members starlark.StringDict
}

var _ starlark.HasAttrs = namespace{}

// has is the member that a word's name means.
func (n namespace) has(word string) (string, bool) { return strings.CutPrefix(word, n.name+".") }

func (n namespace) String() string       { return n.name }
func (n namespace) Type() string         { return n.name }
func (n namespace) Freeze()              {}
func (n namespace) Truth() starlark.Bool { return true }
func (n namespace) AttrNames() []string  { return n.members.Keys() }

// Hash refuses to be a key.
func (n namespace) Hash() (uint32, error) { return 0, fmt.Errorf("%s cannot be a key", n.name) }

// Attr is a member; Starlark itself says what there is when there is none.
func (n namespace) Attr(name string) (starlark.Value, error) {
	if v, ok := n.members[name]; ok {
		return v, nil
	}
	return nil, nil
}
