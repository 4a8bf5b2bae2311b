package script

import (
	"fmt"
	"maps"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// program makes the script's function of the plan's texts and values, and of words besides.
func program(thread *starlark.Thread, s *plan.Script, words starlark.StringDict) (starlark.Value, error) {
	p := &programs{thread: thread, words: words, modules: map[string]*plan.ScriptModule{}, made: map[string]starlark.StringDict{}}
	for i := range s.Modules {
		p.modules[s.Modules[i].Name] = &s.Modules[i]
	}
	if len(s.Modules) == 0 {
		return nil, fmt.Errorf("the script %s has no text", s.Function)
	}
	return p.function(s.Modules[0].Name, s.Function)
}

// programs are the modules of a script, each of which is made once.
type programs struct {
	thread  *starlark.Thread
	words   starlark.StringDict
	modules map[string]*plan.ScriptModule
	made    map[string]starlark.StringDict
	making  []string
}

func (p *programs) function(module, name string) (starlark.Value, error) {
	globals, err := p.module(module)
	if err != nil {
		return nil, err
	}
	f, ok := globals[name].(*starlark.Function)
	if !ok {
		return nil, fmt.Errorf("%s has no function %s", module, name)
	}
	return f, nil
}

func (p *programs) module(name string) (starlark.StringDict, error) {
	if globals, ok := p.made[name]; ok {
		return globals, nil
	}
	m := p.modules[name]
	for _, other := range p.making {
		if m == nil || other == name {
			return nil, fmt.Errorf("the modules of the script do not go together: %s", name)
		}
	}
	p.making = append(p.making, name)
	names := starlark.StringDict{}
	maps.Copy(names, p.words)
	for _, b := range m.Names {
		v, err := p.meaning(b)
		if err != nil {
			return nil, err
		}
		v.Freeze()
		names[b.Name] = v
	}
	f, err := parse(m)
	if err != nil {
		return nil, err
	}
	compiled, err := starlark.FileProgram(f, names.Has)
	if err != nil {
		return nil, err
	}
	globals, err := compiled.Init(p.thread, names)
	if err != nil {
		return nil, err
	}
	globals.Freeze()
	p.made[name], p.making = globals, p.making[:len(p.making)-1]
	return globals, nil
}

func (p *programs) meaning(b plan.Binding) (starlark.Value, error) {
	if b.Value != nil {
		return value(*b.Value)
	}
	return p.function(b.Module, b.Function)
}

// parse reads the functions with the lines that they have in their file, which messages show.
func parse(m *plan.ScriptModule) (*syntax.File, error) {
	options := &syntax.FileOptions{Set: true}
	all := &syntax.File{Path: m.Name, Options: options}
	for _, f := range m.Functions {
		part, err := options.Parse(m.Name, syntax.FilePortion{Content: []byte(f.Text), FirstLine: int32(f.Line), FirstCol: 1}, 0)
		if err != nil {
			return nil, err
		}
		all.Stmts = append(all.Stmts, part.Stmts...)
	}
	return all, nil
}

// value is a value of the plan, in which nothing is left for the host to decide.
func value(d plan.Data) (starlark.Value, error) {
	switch {
	case d.None:
		return starlark.None, nil
	case d.Float != nil:
		return starlark.Float(*d.Float), nil
	case d.Bytes != nil:
		return starlark.Bytes(*d.Bytes), nil
	case d.List != nil:
		list, err := values(*d.List)
		return starlark.NewList(list), err
	case d.Tuple != nil:
		list, err := values(*d.Tuple)
		return starlark.Tuple(list), err
	case d.Set != nil:
		list, err := values(*d.Set)
		set := starlark.NewSet(len(list))
		for _, v := range list {
			if err == nil {
				err = set.Insert(v)
			}
		}
		return set, err
	case d.Dict != nil:
		dict := starlark.NewDict(len(*d.Dict))
		for _, e := range *d.Dict {
			pair, err := values([]plan.Data{e.Key, e.Value})
			if err == nil {
				err = dict.SetKey(pair[0], pair[1])
			}
			if err != nil {
				return nil, err
			}
		}
		return dict, nil
	case d.Host != nil:
		facts := starlark.StringDict{}
		for _, e := range d.Host {
			v, err := value(e.Value)
			if err != nil {
				return nil, err
			}
			facts[e.Key.Scalar.Text] = v
		}
		return starlarkstruct.FromStringDict(starlark.String("host"), facts), nil
	}
	switch d.Scalar.Op {
	case expr.OpInt:
		return starlark.MakeInt64(d.Scalar.Int), nil
	case expr.OpBool:
		return starlark.Bool(d.Scalar.Int != 0), nil
	case expr.OpText:
		return starlark.String(d.Scalar.Text), nil
	}
	return nil, fmt.Errorf("a value of the script was not resolved")
}

func values(list []plan.Data) ([]starlark.Value, error) {
	out := make([]starlark.Value, len(list))
	for i, d := range list {
		v, err := value(d)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
