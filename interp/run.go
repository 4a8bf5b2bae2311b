package interp

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// run takes one module from source to values. What it exports is nil when it could not be run to its end.
func (e *evaluation) run(src *source) starlark.StringDict {
	f := e.parse(src, 0)
	if f == nil {
		return nil
	}
	e.loads(f)
	guarder{}.stmts(f.Stmts)
	if src.counted = e.coverage != nil && !standard(src.name) && !src.script; src.counted {
		f.Stmts = e.coverage.counted(src.name, f.Stmts)
	}
	prog := e.resolve(src)
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

// environment is the words, and the unknown value for names that there are not.
func (e *evaluation) environment(src *source) starlark.StringDict {
	if len(src.undefined) == 0 && !src.counted {
		return e.words
	}
	env := starlark.StringDict{}
	for name, v := range e.words {
		env[name] = v
	}
	for name := range src.undefined {
		env[name] = builtins.Unknown()
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
		if !e.words.Has(name) && !starlark.Universe.Has(name) {
			src.undefined[name] = true
		}
		return src.undefined[name] || e.words.Has(name)
	})
	if len(src.undefined) > 0 {
		e.undefinedNames(src)
	}
	var list resolve.ErrorList
	if errors.As(err, &list) {
		for _, one := range list {
			e.resolveError(src, one)
		}
		return nil
	}
	return prog
}

func (e *evaluation) undefinedNames(src *source) {
	var own []string
	seen := map[string]bool{}
	first := map[string]*syntax.Ident{}
	count := map[string]int{}
	var order []string
	syntax.Walk(src.file, func(n syntax.Node) bool {
		id, ok := n.(*syntax.Ident)
		if !ok {
			return true
		}
		b, bound := id.Binding.(*resolve.Binding)
		switch {
		case bound && b.Scope == resolve.Predeclared && src.undefined[id.Name]:
			if count[id.Name]++; count[id.Name] == 1 {
				first[id.Name] = id
				order = append(order, id.Name)
			}
		case bound && !seen[id.Name] && b.Scope != resolve.Predeclared && b.Scope != resolve.Universal:
			seen[id.Name] = true
			own = append(own, id.Name)
		}
		return true
	})
	known := append(own, builtins.Names(e.words)...)
	for _, name := range order[:min(len(order), mostUndefined)] {
		d := diag.Diagnostic{Severity: diag.Error, Code: CodeUnknownWord, Word: name, At: span(first[name]), Message: "there is no such word or name", Hint: plan.Nearest(name, known)}
		if count[name] > 1 {
			d.Message += fmt.Sprintf(", here and in %d more places", count[name]-1)
		}
		if other, ok := elsewhere[name]; ok {
			d.Hint = other
		}
		e.add(d)
	}
}

const inTests = "this is a word of tests: `recipe test` runs the files named *_test.star"

// elsewhere are the words of other languages that authors bring along.
var elsewhere = map[string]string{
	"null": "write None", "nil": "write None", "import": "load(\"x.star\", \"name\") brings names from another file",
	"open": "read(\"x.txt\") gives the text of a file in the recipe's folder; what lies on hosts is named with file, config and template", "os": "a recipe sees nothing of the machine; host and flag are what it may ask",
	"assert": inTests, "evaluate": inTests, "golden": inTests, "probe": inTests,
	"env": "a recipe sees no environment; flag declares what a host may set", "format": "write fmt(\"...{}\", value)",
}

// resolveError translates what the resolver says.
func (e *evaluation) resolveError(src *source, err resolve.Error) {
	d := diag.Diagnostic{Severity: diag.Error, Code: CodeSyntax, At: point(err.Pos), Message: err.Msg}
	if n, ok := src.at(err.Pos).(*syntax.Ident); ok {
		d.At = span(n)
		d.Word = n.Name
	}
	switch {
	case strings.HasPrefix(err.Msg, "can't assign to"):
		d.Message, d.Hint = "this cannot be assigned to", "a name stands to the left of =; == compares"
	case strings.Contains(err.Msg, "while loops"):
		d.Code, d.Word, d.Message = CodeDialect, "while", "the language has no while loops, so that every evaluation ends"
		d.Hint = "write for i in range(...)"
	case strings.HasPrefix(err.Msg, "cannot reassign"):
		d.Code, d.Hint = CodeReassigned, "a name at the top level is given once: choose another, or work in a function"
	case strings.HasPrefix(err.Msg, "load: names with leading underscores"):
		d.Code, d.Hint = CodeNotExported, "rename it in the module, without the underscore"
	}
	e.add(d)
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
