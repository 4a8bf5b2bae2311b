package interp

import (
	"errors"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
)

// run takes one module from source to values. What it exports is nil when it could not be run to its end.
func (e *evaluation) run(src *source) starlark.StringDict {
	prog := e.program(src)
	if prog == nil {
		return nil
	}
	globals, err := prog.Init(e.thread, e.environment(src))
	e.drain()
	if err != nil {
		e.runtimeError(err)
		return nil
	}
	if len(e.stack) > 1 {
		globals.Freeze()
	}
	return globals
}

// program takes a source from text to program, and runs the modules that it loads. Of a module that has no mistake the
// program is kept: the next evaluation that loads it finds it made.
func (e *evaluation) program(src *source) *starlark.Program {
	src.key = e.running()
	key := compiling{src.name, src.text}
	if known, ok := e.compiled.find(key); ok {
		e.sources[src.name] = src
		src.file, src.text = known.file, strings.TrimPrefix(src.text, ByteOrderMark)
		e.loads(src.file)
		return known.program
	}
	f := e.parse(src, 0)
	if f == nil {
		return nil
	}
	e.loads(f)
	if src.shown {
		src.showLast(f)
	}
	guarder{}.stmts(f.Stmts)
	if src.counted = e.coverage != nil && !standard(src.name) && !src.script; src.counted {
		f.Stmts = e.coverage.counted(src.name, f.Stmts)
	}
	prog := e.resolve(src)
	if e.compiled != nil && len(e.stack) > 1 && prog != nil && !e.list.Failed() {
		e.compiled.keep(key, compiled{f, prog})
	}
	return prog
}

// environment is the words, and the unknown value for names that there are not.
func (e *evaluation) environment(src *source) starlark.StringDict {
	if len(src.undefined)+len(src.lost) == 0 && !src.counted {
		return e.words
	}
	env := starlark.StringDict{}
	for name, v := range e.words {
		env[name] = v
	}
	for _, names := range []map[string]bool{src.undefined, src.lost} {
		for name := range names {
			if !e.words.Has(name) {
				env[name] = builtins.Unknown()
			}
		}
	}
	if src.counted {
		env[counterName] = e.coverage.counter(src.name)
	}
	return env
}

// resolve binds names and compiles. A name that is not there is reported where it stands first, and resolved to the
// unknown value, so that the rest can be evaluated; other errors end in nil.
func (e *evaluation) resolve(src *source) *starlark.Program {
	src.undefined = map[string]bool{}
	prog, err := starlark.FileProgram(src.file, func(name string) bool {
		if name == counterName {
			return true
		}
		known := e.words.Has(name) || starlark.Universe.Has(name)
		if !known && !src.lost[name] {
			src.undefined[name] = true
		}
		return !known || e.words.Has(name)
	})
	if len(src.undefined) > 0 {
		e.undefinedNames(src)
	}
	var list resolve.ErrorList
	if errors.As(err, &list) {
		forms := misbindings()
		for _, one := range list[:min(len(list), mostUndefined)] {
			e.resolveError(src, one, forms)
		}
		return nil
	}
	return prog
}

// tooDeep finds a node below too many others: the parser bounds brackets, but a.b.c and 1+1+1 nest without any.
func tooDeep(f *syntax.File) syntax.Node {
	var deep syntax.Node
	depth := 0
	syntax.Walk(f, func(n syntax.Node) bool {
		if n == nil {
			depth--
			return true
		}
		if depth >= mostNesting || deep != nil {
			if deep == nil {
				deep = n
			}
			return false
		}
		depth++
		return true
	})
	return deep
}
