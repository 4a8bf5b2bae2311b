package interp

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
)

// Chunk is one entry of an author's session: statements, or an expression whose value is to be shown.
type Chunk struct{ Name, Text string }

// SessionQuestion is all that a session has accepted so far, and the chunk that it would accept next: the session keeps no
// other state, so that what fails leaves nothing behind. Source is the recipe that it began with, nil without one.
type SessionQuestion struct {
	Name   string
	Source []byte
	Chunks []Chunk
}

// SessionAnswer is what came of it. Plan is the canonical JSON, nil where there is no sound one yet; Value shows what the
// last chunk came to, where it is an expression, and Expr is that as a plan has it, where a plan can. Names are what the
// session has given names to, in the order of the alphabet; State is another where one of their values is another.
type SessionAnswer struct {
	Plan        []byte
	Diagnostics diag.List
	Value       string
	Expr        []byte
	Names       []SessionName
	State       []byte
}

// SessionName is a name of the session; About is its value or, of a function, the first line of its documentation.
type SessionName struct{ Name, About string }

// EvaluateSession evaluates the recipe and then every chunk, each of which sees what those before gave names to, and may
// give a name anew. All share one budget.
func EvaluateSession(q SessionQuestion, o Options) (a SessionAnswer) {
	e := newEvaluation(q.Name, o)
	defer func() {
		if broken := recover(); broken != nil {
			a = SessionAnswer{Diagnostics: diag.List{brokenDown(q.Name, broken)}}
		}
	}()
	given := starlark.StringDict{}
	run := func(src *source) bool {
		globals := e.run(src)
		for name, v := range globals {
			given[name], e.words[name] = v, v
		}
		return globals != nil && !e.list.Failed()
	}
	sound := q.Source == nil || run(&source{name: q.Name, text: string(q.Source)})
	for _, c := range q.Chunks {
		sound = sound && run(&source{name: c.Name, text: c.Text, shown: true})
	}
	e.globals = given
	p := e.recording.Plan(fileName(q.Name))
	p.Inputs = e.inputs()
	if a.Diagnostics = slices.DeleteFunc(e.conclude(p), func(d diag.Diagnostic) bool { return d.Code == CodeNothing }); !a.Diagnostics.Failed() {
		a.Plan, _ = p.Encode()
	}
	if v := given[shownName]; v != nil && sound && len(q.Chunks) > 0 && e.sources[q.Chunks[len(q.Chunks)-1].Name].shows {
		a.Value, a.Expr = builtins.Shown(v)
	}
	a.Names, a.State = sessionNames(given)
	return a
}

// shownName is the global that the value of an expression becomes; no recipe can spell it.
const shownName = "=value"

// showLast has the last statement's value kept, where it has one.
func (s *source) showLast(f *syntax.File) {
	if len(f.Stmts) == 0 {
		return
	}
	last, ok := f.Stmts[len(f.Stmts)-1].(*syntax.ExprStmt)
	if s.shows = ok; ok {
		start := syntax.Start(last)
		f.Stmts[len(f.Stmts)-1] = &syntax.AssignStmt{OpPos: start, Op: syntax.EQ, LHS: &syntax.Ident{NamePos: start, Name: shownName}, RHS: last.X}
	}
}

func sessionNames(given starlark.StringDict) ([]SessionName, []byte) {
	var names []SessionName
	state := sha256.New()
	for _, name := range given.Keys() {
		if name == shownName {
			continue
		}
		about, _ := builtins.Shown(given[name])
		if f, ok := given[name].(*starlark.Function); ok {
			first, _, _ := strings.Cut(f.Doc(), "\n")
			about = strings.TrimSpace(fmt.Sprintf("%s(%s) %s", f.Name(), parameterNames(f), first))
		}
		names = append(names, SessionName{name, clipped(about)})
		fmt.Fprintln(state, name, given[name].String())
	}
	return names, state.Sum(nil)
}

func parameterNames(f *starlark.Function) string {
	var names []string
	for i := range f.NumParams() {
		name, _ := f.Param(i)
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// Given are the names that a chunk gives at its top level; none where it cannot be read.
func Given(text string) []string {
	f, err := dialect().Parse("", text, 0)
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range f.Stmts {
		switch s := s.(type) {
		case *syntax.AssignStmt:
			syntax.Walk(s.LHS, func(n syntax.Node) bool {
				if id, ok := n.(*syntax.Ident); ok {
					names = append(names, id.Name)
				}
				_, inner := n.(*syntax.IndexExpr)
				_, field := n.(*syntax.DotExpr)
				return !inner && !field
			})
		case *syntax.DefStmt:
			names = append(names, s.Name.Name)
		case *syntax.LoadStmt:
			for _, to := range s.To {
				names = append(names, to.Name)
			}
		}
	}
	return names
}

// IsExpression reports whether a chunk is one expression.
func IsExpression(text string) bool {
	f, err := dialect().Parse("", text, 0)
	if err != nil || len(f.Stmts) != 1 {
		return false
	}
	_, ok := f.Stmts[0].(*syntax.ExprStmt)
	return ok
}

// Unfinished reports whether a chunk goes on in the next line: a bracket or a long text is open, or a block may still
// grow, which an empty line ends.
func Unfinished(text string) bool {
	if strings.HasSuffix(text, "\n\n") || strings.TrimSpace(text) == "" {
		return false
	}
	_, err := dialect().Parse("", text+"\n", 0)
	if err != nil {
		message := err.Error()
		return strings.Contains(message, "end of file") || strings.Contains(message, "unexpected EOF") || strings.HasSuffix(strings.TrimRight(text, " \t\n"), ":")
	}
	f, err := dialect().Parse("", text, 0)
	if err != nil || len(f.Stmts) == 0 {
		return false
	}
	switch f.Stmts[len(f.Stmts)-1].(type) {
	case *syntax.DefStmt, *syntax.IfStmt, *syntax.ForStmt:
		return true
	}
	return false
}
