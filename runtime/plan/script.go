package plan

import (
	"fmt"
	"strings"

	"recipe/runtime/expr"
)

// Script is a function of the recipe's that is kept for later, with all that it needs and nothing else: its own text, that
// of the functions that it calls, and the values of the names that they use. So the plan changes when the function or
// what it uses does, and whoever has the plan needs neither the recipe nor its modules. What a flag or the host decides
// stays an expression in a value until the function is called.
type Script struct {
	Function string         `json:"function"` // of the first module
	Modules  []ScriptModule `json:"modules"`
}

// ScriptModule is what is taken from one file. Name is its path from the recipe's folder, or @std//NAME, for messages.
type ScriptModule struct {
	Name      string           `json:"name"`
	Functions []ScriptFunction `json:"functions,omitempty"` // in the order of the file
	Names     []Binding        `json:"names,omitempty"`     // that they use besides; by name
}

// ScriptFunction is the text of a function, which begins at Line of its file.
type ScriptFunction struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// Binding gives a name its meaning: a value, or Function of another of the script's modules.
type Binding struct {
	Name     string `json:"name"`
	Value    *Data  `json:"value,omitempty"`
	Module   string `json:"module,omitempty"`
	Function string `json:"function,omitempty"`
}

// Data is a value of the language: exactly one field is set.
type Data struct {
	Scalar expr.Expr `json:"scalar,omitzero"` // text, int, truth, or what the host decides
	None   bool      `json:"none,omitempty"`
	Float  *float64  `json:"float,omitempty"`
	Bytes  *Bytes    `json:"bytes,omitempty"`
	List   *[]Data   `json:"list,omitempty"`
	Tuple  *[]Data   `json:"tuple,omitempty"`
	Set    *[]Data   `json:"set,omitempty"`
	Dict   *[]Entry  `json:"dict,omitempty"`
	Host   []Entry   `json:"host,omitempty"` // the facts: attributes of the word host
}

// Entry is a key of a dict, or the name of an attribute, and its value.
type Entry struct {
	Key   Data `json:"key"`
	Value Data `json:"value"`
}

// Resolve computes every expression: what is left is texts, numbers and truth values. A size becomes a number of bytes, a
// duration a text such as 10s, a path a text with the root of the run in front.
func (p *ScriptProbe) Resolve(env *expr.Env) (*ScriptProbe, error) {
	resolved := p.clone()
	var first error
	resolved.each(func(e *expr.Expr) {
		v, err := e.Eval(env)
		if err != nil && first == nil {
			first = fmt.Errorf("a value of the script %s: %w", p.Script.Function, err)
		}
		*e = literal(v)
	})
	return resolved, first
}

// Place is FILE:LINE of the function, or as much of it as the script tells.
func (s *Script) Place() string {
	if len(s.Modules) == 0 {
		return s.Function
	}
	for _, f := range s.Modules[0].Functions {
		if strings.HasPrefix(f.Text, "def "+s.Function+"(") {
			return fmt.Sprintf("%s:%d", s.Modules[0].Name, f.Line)
		}
	}
	return s.Modules[0].Name
}

// Resolve is that of a ScriptProbe.
func (s *Script) Resolve(env *expr.Env) (*Script, error) {
	p, err := (&ScriptProbe{Script: *s}).Resolve(env)
	return &p.Script, err
}

func literal(v expr.Value) expr.Expr {
	switch v.Kind {
	case expr.Int, expr.Size:
		return expr.IntOf(v.Int)
	case expr.Bool:
		return expr.BoolOf(v.Int != 0)
	}
	return expr.TextOf(v.String())
}

// each visits every expression of the values.
func (p *ScriptProbe) each(visit func(*expr.Expr)) {
	for i := range p.Arguments {
		p.Arguments[i].Value.each(visit)
	}
	p.Script.each(visit)
}

func (s *Script) each(visit func(*expr.Expr)) {
	for i := range s.Modules {
		names := s.Modules[i].Names
		for j := range names {
			names[j].Value.each(visit)
		}
	}
}

func (d *Data) each(visit func(*expr.Expr)) {
	if d == nil {
		return
	}
	if !d.Scalar.IsZero() {
		visit(&d.Scalar)
	}
	for _, list := range []*[]Data{d.List, d.Tuple, d.Set} {
		if list != nil {
			for i := range *list {
				(*list)[i].each(visit)
			}
		}
	}
	for _, entries := range [][]Entry{d.entries(), d.Host} {
		for i := range entries {
			entries[i].Key.each(visit)
			entries[i].Value.each(visit)
		}
	}
}

func (d *Data) entries() []Entry {
	if d.Dict == nil {
		return nil
	}
	return *d.Dict
}

func (p *ScriptProbe) clone() *ScriptProbe {
	c := *p
	c.Arguments = cloneBindings(p.Arguments)
	c.Script.Modules = append([]ScriptModule{}, p.Script.Modules...)
	for i := range c.Script.Modules {
		c.Script.Modules[i].Names = cloneBindings(c.Script.Modules[i].Names)
	}
	return &c
}

func cloneBindings(list []Binding) []Binding {
	list = append([]Binding(nil), list...)
	for i := range list {
		if list[i].Value != nil {
			v := list[i].Value.clone()
			list[i].Value = &v
		}
	}
	return list
}

func (d Data) clone() Data {
	for _, list := range []**[]Data{&d.List, &d.Tuple, &d.Set} {
		if *list != nil {
			copied := make([]Data, len(**list))
			for i, x := range **list {
				copied[i] = x.clone()
			}
			*list = &copied
		}
	}
	if d.Dict != nil {
		copied := cloneEntries(*d.Dict)
		d.Dict = &copied
	}
	if d.Host != nil {
		d.Host = cloneEntries(d.Host)
	}
	return d
}

func cloneEntries(list []Entry) []Entry {
	copied := make([]Entry, len(list))
	for i, e := range list {
		copied[i] = Entry{e.Key.clone(), e.Value.clone()}
	}
	return copied
}
