package interp

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// Script is a file that is evaluated for what its functions do rather than for a plan: a test file. The dialect, the
// loader, the guards and the places of diagnostics are a recipe's. It belongs to one goroutine.
type Script struct {
	e       *evaluation
	src     *source
	globals starlark.StringDict
	options Options
}

// NewScript prepares a file of that name and text. Options.Files must be given.
func NewScript(name string, text []byte, o Options) *Script {
	s := &Script{e: newEvaluation(name, o), src: &source{name: name, text: string(text), script: true}, options: o}
	s.options.Root = s.e.folder
	return s
}

// Define adds words to those of a recipe.
func (s *Script) Define(words starlark.StringDict) {
	s.e.compiled = nil // what there is was compiled without them
	for name, v := range words {
		s.e.words[name] = v
	}
}

// Run runs the file's own statements, and reports whether they came to their end without an error.
func (s *Script) Run() bool {
	return s.guarded(func() {
		if s.globals = s.e.run(s.src); s.globals != nil {
			s.globals.Freeze()
		}
	})
}

// Functions are the names with that prefix that the file gives to functions, in the order in which they are first given.
func (s *Script) Functions(prefix string) []string {
	var names []string
	module, ok := s.src.file.Module.(*resolve.Module)
	for _, b := range module.Globals {
		if _, function := s.globals[b.First.Name].(*starlark.Function); ok && function && strings.HasPrefix(b.First.Name, prefix) {
			names = append(names, b.First.Name)
		}
	}
	return names
}

// Call calls a function of the file without arguments, and reports whether that came to its end without an error.
func (s *Script) Call(function string) bool {
	f := s.globals[function].(*starlark.Function)
	if n := f.NumParams(); n > 0 {
		at := point(f.Position())
		at.EndColumn = at.Column + len("def")
		s.e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeBadCall, Word: function, At: at,
			Message: "a function that is called for its name alone takes no parameters", Hint: "load or compute what it needs, or give it another name"})
		return false
	}
	return s.guarded(func() { s.call(f) })
}

// call leaves what goes wrong in the list.
func (s *Script) call(f starlark.Callable) {
	_, err := starlark.Call(s.e.thread, f, nil, nil)
	s.e.drain()
	if err != nil {
		s.e.runtimeError(err)
	}
}

// guarded runs a part of the script, and turns what breaks down in it into a diagnostic.
func (s *Script) guarded(part func()) bool {
	defer func() {
		if broken := recover(); broken != nil {
			s.e.list = append(s.e.list, brokenDown(s.e.name, broken))
		}
	}()
	part()
	return !s.e.list.Failed()
}

// Diagnostics are what the script made known so far, in the order of their places.
func (s *Script) Diagnostics() diag.List { return s.e.list.Sort() }

// Say adds to them.
func (s *Script) Say(list ...diag.Diagnostic) { s.e.list = append(s.e.list, list...) }

// From is a diagnostic of something that a call of the script made, with that call in its chain. One without a place is
// shown at the call.
func (s *Script) From(d diag.Diagnostic, c *builtins.Call) diag.Diagnostic {
	at := s.e.locate(c, builtins.Part{Index: -1, Element: -1, Function: true})
	if d.At.File == "" {
		d.At, d.Word = at, c.Word
		if src := s.e.sources[at.File]; src != nil {
			d.Source = src.line(at.Line)
		}
	} else if slices.ContainsFunc(d.Chain, func(f diag.Frame) bool { return f.Name == c.Word+" called" && f.At.Line == at.Line }) {
		return d // a function of the script has its own callers in its chain
	} else {
		d.Chain = append(slices.Clone(d.Chain), diag.Frame{Name: c.Word + " called", At: at})
	}
	d.Chain = append(d.Chain, frames(c.Site.Chain)...)
	return d
}

// Steps is how much of the budget was spent, by evaluations as well.
func (s *Script) Steps() uint64 { return s.e.thread.Steps }

// Catch calls a function and returns what it makes known, which the script then does not.
func (s *Script) Catch(f starlark.Callable) diag.List {
	s.e.drain()
	before := s.e.list
	s.e.list = nil
	s.call(f)
	caught := s.e.list
	s.e.list = before
	if s.e.spent { // which ends the script, and is shown where it happened
		s.e.list = append(before, caught...)
	}
	return caught
}

// Read reads a file of at most 1 MiB below the script's folder. Path has slashes.
func (s *Script) Read(path string) ([]byte, error) {
	text, err := s.e.files.Read(path, mostSource+1)
	if err == nil && len(text) > mostSource {
		err = fmt.Errorf("it is larger than %d KiB", mostSource>>10)
	}
	return text, err
}

// Evaluate evaluates a recipe, or a plan's JSON, below the script's folder, on the script's budget. Path has slashes.
func (s *Script) Evaluate(path string) (*plan.Plan, diag.List, error) {
	text, err := s.Read(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read it: %w", Reason(err))
	}
	name := filepath.Join(s.e.folder, filepath.FromSlash(path))
	if isPlan(text) {
		p, list := decode(name, text)
		return p, list, nil
	}
	o := s.options
	o.Steps = s.e.budget - min(s.e.budget, s.e.thread.Steps) + 1
	o.Steps = min(o.Steps, DefaultSteps)
	e := newEvaluation(name, o)
	p, list := e.evaluate(name, text)
	s.e.thread.Steps += e.thread.Steps
	return p, list, nil
}

// Kept is a function of the script, or of a module that it loads, as a plan keeps it.
func (s *Script) Kept(f *starlark.Function) (*plan.Script, error) {
	return (&capture{evaluation: s.e, modules: map[string]*captured{}}).script(f)
}

// Declared evaluates what a function of the script declares, as a recipe that consists of its call.
func (s *Script) Declared(f starlark.Callable) (*plan.Plan, diag.List) {
	s.e.drain()
	before, resume := s.e.list, s.e.recording.Aside()
	s.e.list = nil
	s.call(f)
	s.e.keep()
	p := s.e.recording.Plan(fileName(s.e.name))
	p.Inputs = s.e.inputs()
	list := s.e.conclude(p)
	resume()
	s.e.list = before
	if list.Failed() {
		return nil, list
	}
	return p, list
}
