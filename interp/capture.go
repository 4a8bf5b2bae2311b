package interp

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// keep fills in the functions that are to be called later, with all that they need, once the recipe has run: what a name
// means is known then. Nothing of Starlark is left in the plan but their text.
func (e *evaluation) keep() {
	for _, k := range e.recording.Kept() {
		c := &capture{evaluation: e, modules: map[string]*captured{}, steps: k.Steps}
		script, err := c.script(k.Function)
		if err != nil {
			e.recording.Refuse(k, diag.Diagnostic{Code: plan.CodeKind, Message: err.Error(), Hint: "a function that is called later stands at the top level of its file, and uses texts, numbers, lists, flags and other such functions"})
			continue
		}
		*k.Into = *script
	}
	e.drain()
}

// capture follows the names of one function.
type capture struct {
	*evaluation
	modules map[string]*captured // by the name of the source
	order   []*captured
	steps   bool // the words that make steps can be called later
}

// captured is what is taken from one file.
type captured struct {
	source    *source
	name      string
	functions map[string]*syntax.DefStmt
	names     map[string]plan.Binding
}

func (c *capture) script(f *starlark.Function) (*plan.Script, error) {
	if err := c.function(f); err != nil {
		return nil, err
	}
	s := &plan.Script{Function: f.Name()}
	for _, m := range c.order {
		s.Modules = append(s.Modules, m.plan())
	}
	return s, nil
}

func (m *captured) plan() plan.ScriptModule {
	out := plan.ScriptModule{Name: m.name}
	var defs []*syntax.DefStmt
	for _, def := range m.functions {
		defs = append(defs, def)
	}
	sort.Slice(defs, func(i, j int) bool { return defs[i].Def.Line < defs[j].Def.Line })
	lines := strings.SplitAfter(m.source.text, "\n")
	for _, def := range defs {
		_, end := def.Span()
		first, last := int(def.Def.Line), min(int(end.Line), len(lines))
		out.Functions = append(out.Functions, plan.ScriptFunction{Line: first, Text: strings.TrimRight(strings.Join(lines[first-1:last], ""), "\n") + "\n"})
	}
	for _, b := range m.names {
		out.Names = append(out.Names, b)
	}
	sort.Slice(out.Names, func(i, j int) bool { return out.Names[i].Name < out.Names[j].Name })
	return out
}

// function takes a function of a file's top level, and what it uses.
func (c *capture) function(f *starlark.Function) error {
	src := c.sources[f.Position().Filename()]
	def := topLevel(src, f)
	if def == nil {
		return fmt.Errorf("%s is not a function of a file's top level", f.Name())
	}
	m := c.modules[src.name]
	if m == nil {
		m = &captured{source: src, name: c.shown(src.name), functions: map[string]*syntax.DefStmt{}, names: map[string]plan.Binding{}}
		c.modules[src.name] = m
		c.order = append(c.order, m)
	}
	if m.functions[f.Name()] != nil {
		return nil
	}
	m.functions[f.Name()] = def
	loads := loadsOf(src.file)
	var failed error
	syntax.Walk(def, func(n syntax.Node) bool {
		id, ok := n.(*syntax.Ident)
		if b, bound := binding(id); ok && bound && failed == nil {
			failed = c.use(m, f, id.Name, b, loads)
		}
		return failed == nil
	})
	return failed
}

func binding(id *syntax.Ident) (*resolve.Binding, bool) {
	if id == nil {
		return nil, false
	}
	b, ok := id.Binding.(*resolve.Binding)
	return b, ok && b != nil
}

// use gives a name of a function its meaning.
func (c *capture) use(m *captured, f *starlark.Function, name string, b *resolve.Binding, loads map[string]load) error {
	var v starlark.Value
	switch b.Scope {
	case resolve.Global:
		v = f.Globals()[name]
	case resolve.Free, resolve.Local, resolve.Cell:
		l, ok := loads[name]
		if !ok || b.First == nil || b.First.NamePos != l.at {
			return nil // the function's own
		}
		v = c.answers[request{m.source.key, l.module}][l.name]
	case resolve.Predeclared:
		if builtins.IsGuard(name) || m.source.undefined[name] || starlark.Universe.Has(name) {
			return nil
		}
		if c.steps && builtins.IsStep(name) {
			return nil
		}
		if name != "host" {
			return fmt.Errorf("%s uses the word %s, which describes and cannot be called later", f.Name(), name)
		}
		v = c.words[name]
	default:
		return nil
	}
	if v == nil {
		return nil // reported
	}
	if other, ok := v.(*starlark.Function); ok {
		if err := c.function(other); err != nil {
			return fmt.Errorf("%s uses %s: %w", f.Name(), name, err)
		}
		if at := other.Position().Filename(); at != m.source.name || other.Name() != name {
			m.names[name] = plan.Binding{Name: name, Module: c.modules[at].name, Function: other.Name()}
		}
		return nil
	}
	if strings.Contains(v.Type(), builtins.UnknownType) {
		return nil // reported
	}
	value, err := builtins.Data(v)
	if err != nil {
		return fmt.Errorf("%s uses %s: %w", f.Name(), name, err)
	}
	m.names[name] = plan.Binding{Name: name, Value: value}
	return nil
}

// shown is the name of a source that is the same on every machine.
func (c *capture) shown(name string) string {
	if standard(name) {
		return name
	}
	below, err := filepath.Rel(c.folder, name)
	if err != nil {
		below = filepath.Base(name)
	}
	return filepath.ToSlash(below)
}

// topLevel is the statement that defined the function, if it is one of the file's own.
func topLevel(src *source, f *starlark.Function) *syntax.DefStmt {
	if src == nil || src.file == nil {
		return nil
	}
	for _, s := range src.file.Stmts {
		if def, ok := s.(*syntax.DefStmt); ok && def.Name.Name == f.Name() && def.Name.NamePos.Line == f.Position().Line {
			return def
		}
	}
	return nil
}

// load is a name that a file loads: from which answer, and under what name there.
type load struct {
	at           syntax.Position
	module, name string
}

func loadsOf(f *syntax.File) map[string]load {
	loads := map[string]load{}
	for _, s := range f.Stmts {
		if s, ok := s.(*syntax.LoadStmt); ok {
			for i, to := range s.To {
				loads[to.Name] = load{at: to.NamePos, module: s.ModuleName(), name: s.From[i].Name}
			}
		}
	}
	return loads
}
