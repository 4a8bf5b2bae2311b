package interp

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
	"recipe/stdlib"
)

// loader finds the modules of one evaluation. Modules lie below the folder of the recipe and are named by their path
// from there; no link leads out of it.
type loader struct {
	folder  string // as diagnostics show it
	files   Files
	modules map[string]*module // by key: a path from the folder, or the name of a standard module
	texts   map[string]text    // that were read, by key
	keys    map[string]string  // of the sources, by the name that diagnostics show
	stack   []loading          // modules whose statements run, outermost first
	answers map[request]starlark.StringDict
}

// request is what a file asks for by its load statements: another one, as it spells its name.
type request struct{ key, name string }

// module is one that was loaded. globals is nil while it runs and when it could not be loaded.
type module struct {
	globals starlark.StringDict
	lost    map[string]bool // names that it may export in a statement that cannot be read
	sum     string          // SHA-256 of its source; "" for a standard module
}

type loading struct {
	key string
	at  diag.Span // of the load statement; zero for the recipe
}

func newLoader(name string, o Options) loader {
	folder, key := FolderOf(name, o.Root), filepath.Base(name)
	if below, err := filepath.Rel(folder, name); err == nil && filepath.IsLocal(below) {
		key = below
	}
	key = filepath.ToSlash(key)
	return loader{folder: folder, files: o.Files, modules: map[string]*module{}, texts: map[string]text{}, keys: map[string]string{name: key},
		answers: map[request]starlark.StringDict{}, stack: []loading{{key: key}}}
}

// inputs are the files that were loaded or read, by path.
func (l *loader) inputs() []plan.Input {
	var list []plan.Input
	for key, m := range l.modules {
		if m.sum != "" {
			list = append(list, plan.Input{Path: key, SHA256: m.sum})
		}
	}
	for key, t := range l.texts {
		if t.sum != "" && (l.modules[key] == nil || l.modules[key].sum == "") {
			list = append(list, plan.Input{Path: key, SHA256: t.sum})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path < list[j].Path })
	return list
}

// loaded answers Starlark's load, for the file that runs: every module is there before the one that loads it runs.
func (e *evaluation) loaded(_ *starlark.Thread, name string) (starlark.StringDict, error) {
	return e.answers[request{e.running(), name}], nil
}

// running is the key of the file that is evaluated now.
func (l *loader) running() string { return l.stack[len(l.stack)-1].key }

// loads runs the modules that a file loads, and reports those that cannot be loaded at the statement.
func (e *evaluation) loads(f *syntax.File) {
	for _, s := range f.Stmts {
		if s, ok := s.(*syntax.LoadStmt); ok {
			e.load(s)
		}
	}
}

func (e *evaluation) load(s *syntax.LoadStmt) {
	m, fault := e.module(s)
	if fault != nil {
		fault.Severity, fault.Word, fault.At = diag.Error, "load", span(s.Module)
		e.add(*fault)
	}
	asked := request{e.running(), s.ModuleName()}
	answer := e.answers[asked]
	if answer == nil {
		answer = starlark.StringDict{}
		e.answers[asked] = answer
	}
	for _, from := range s.From {
		v, ok := m.globals[from.Name]
		if !ok {
			v = builtins.Unknown()
			if m.globals != nil && !m.lost[from.Name] && from.Name != "" && from.Name[0] != '_' {
				e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeNotExported, Word: "load", At: span(from), Message: fmt.Sprintf("%q exports no %q", s.ModuleName(), from.Name),
					Accepted: strings.Join(exported(m.globals), ", "), Hint: plan.Nearest(from.Name, exported(m.globals))})
			}
		}
		answer[from.Name] = v
	}
}

func exported(globals starlark.StringDict) []string {
	names := []string{}
	for _, name := range globals.Keys() {
		if name[0] != '_' {
			names = append(names, name)
		}
	}
	return names
}

// module finds and runs the module of a load statement; once, however often it is loaded. It is never nil.
func (e *evaluation) module(s *syntax.LoadStmt) (*module, *diag.Diagnostic) {
	key, fault := e.key(s.ModuleName())
	if fault != nil {
		return &module{}, fault
	}
	if cycle := e.cycle(key); cycle != "" {
		return &module{}, &diag.Diagnostic{Code: CodeLoadCycle, Message: "modules load each other in a circle: " + cycle,
			Hint: "move what both need into a third module"}
	}
	if m, ok := e.modules[key]; ok {
		return m, nil
	}
	m := &module{}
	e.modules[key] = m
	if e.tooManyInputs() {
		return m, &diag.Diagnostic{Code: CodeTooLarge, Message: tooManyInputs}
	}
	text, fault := e.read(key)
	if fault != nil {
		return m, fault
	}
	name := key
	if !standard(key) {
		m.sum = digest(text)
		name = filepath.Join(e.folder, filepath.FromSlash(key))
	}
	e.keys[name] = key
	e.drain()
	e.stack = append(e.stack, loading{key: key, at: span(s.Module)})
	e.recording.Loading++
	src := &source{name: name, text: string(text)}
	m.globals = e.run(src)
	m.lost = src.lost
	e.drain()
	e.recording.Loading--
	e.stack = e.stack[:len(e.stack)-1]
	return m, nil
}

func (l *loader) cycle(key string) string {
	for i, running := range l.stack {
		if running.key == key {
			names := []string{}
			for _, r := range l.stack[i:] {
				names = append(names, r.key)
			}
			return strings.Join(append(names, key), " -> ")
		}
	}
	return ""
}

func standard(key string) bool { return strings.HasPrefix(key, builtins.StandardPrefix) }

// key names a module: //dir/x.star from the recipe's folder, x.star from that of the module that loads it.
func (l *loader) key(name string) (string, *diag.Diagnostic) {
	here := l.running()
	refuse := func(why string) (string, *diag.Diagnostic) {
		return "", &diag.Diagnostic{Code: CodeCannotLoad, Message: "cannot load this module: " + why, Found: fmt.Sprintf("%q", name),
			Accepted: `"x.star" beside this file, "//dir/x.star" from the recipe's folder, "@std//NAME.star"`}
	}
	switch {
	case standard(name):
		return name, nil
	case strings.HasPrefix(name, "@"):
		return refuse("there is no library but @std")
	case standard(here) && !strings.HasPrefix(name, "/"):
		return builtins.StandardPrefix + name, nil
	}
	key, why := below(here, name)
	if why == "" && !strings.HasSuffix(key, ".star") {
		why = "a module's name ends in .star"
	}
	if why != "" {
		return refuse(why)
	}
	return key, nil
}

// below finds the key of a file that another one names, or says why it cannot be one.
func below(here, name string) (key, why string) {
	switch {
	case strings.HasPrefix(name, "//"):
		key = path.Clean(strings.TrimPrefix(name, "//"))
	case strings.HasPrefix(name, "/"):
		return "", "files lie below the recipe's folder, and an absolute path means another place on another host"
	default:
		key = path.Join(path.Dir(here), name)
	}
	if !fs.ValidPath(key) || strings.ContainsAny(key, "\x00\\") {
		return "", "it lies outside of the recipe's folder"
	}
	return key, ""
}

// read reads the source of a module.
func (l *loader) read(key string) ([]byte, *diag.Diagnostic) {
	if standard(key) {
		text, err := stdlib.Read(strings.TrimPrefix(key, builtins.StandardPrefix))
		if err != nil {
			names := []string{}
			for _, name := range stdlib.Names() {
				names = append(names, builtins.StandardPrefix+name)
			}
			return nil, &diag.Diagnostic{Code: CodeCannotLoad, Message: "there is no such standard module", Found: fmt.Sprintf("%q", key),
				Accepted: strings.Join(names, ", "), Hint: plan.Nearest(key, names)}
		}
		return text, nil
	}
	text, err := l.files.Read(key, mostSource+1)
	if err != nil {
		d := &diag.Diagnostic{Code: CodeCannotLoad, Message: fmt.Sprintf("cannot load this module: %v", Reason(err)), Found: filepath.Join(l.folder, filepath.FromSlash(key))}
		if errors.Is(err, fs.ErrNotExist) {
			d.Message, d.Hint = "there is no such file", l.neighbour(key, ".star")
		}
		return nil, d
	}
	return text, nil
}

// neighbour hints at a file of nearly the same name in the same folder, with that ending.
func (l *loader) neighbour(key, ending string) string {
	names := slices.DeleteFunc(l.files.Names(path.Dir(key)), func(name string) bool { return !strings.HasSuffix(name, ending) })
	return plan.Nearest(path.Base(key), names)
}
