// Package interp evaluates a recipe to a plan. It holds the dialect, the loader, the budgets and the places of
// diagnostics; what the words mean is in package builtins, what a plan must be in package plan.
//
//	source -> parse -> load other modules -> guard host values -> resolve -> run -> plan -> validate -> diagnostics
//
// Rules:
//   - Hermetic: a recipe sees no clock, environment, network or randomness, and no file but those that it loads or
//     reads from its own folder. The same recipe gives the same bytes everywhere.
//   - The dialect is Starlark with sets and top-level control flow; without while, recursion and global reassignment.
//   - As many mistakes as possible in one pass: a call that is wrong gives a value that every word takes in silence, and
//     the evaluation goes on. Only Starlark's own run-time errors end it.
//   - A value that only the host knows never gives a silent wrong answer (see guard.go).
//   - One budget of steps for the recipe and all that it loads; sizes and the number of modules are bounded too. Memory
//     is not: text from strangers is evaluated in a process of its own.
//   - Warnings are given only for a plan without errors, and never fail it. What a recipe prints becomes a note.
//
// Tests: golden mistakes in testdata/mistakes, a fuzz target over source text, determinism, and benchmarks.
package interp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// Options of an evaluation; the zero value is usual.
type Options struct {
	Stdin io.Reader // what "-" reads
	Root  string    // the folder that loads are below; the recipe's own when empty
	Files Files     // where modules come from; that folder when nil
	Steps uint64    // budget; DefaultSteps when 0

	Coverage *Coverage // counts lines unless nil
	Compiled *Compiled // keeps programs of modules for other evaluations unless nil
}

// Evaluate reads a recipe, or a plan's JSON, from a file or, when path is "-", from Options.Stdin. The plan is nil when
// the list holds an error. Nothing but the list tells of errors.
func Evaluate(path string, o Options) (*plan.Plan, diag.List) {
	data, err := Read(path, o.Stdin)
	if err != nil {
		return nil, Unreadable(path, err)
	}
	return EvaluateBytes(path, data, o)
}

// Unreadable is what there is to say of a recipe that Read cannot read.
func Unreadable(path string, err error) diag.List {
	return diag.List{{Severity: diag.Error, Code: CodeCannotRead, At: diag.Span{File: path}, Message: fmt.Sprintf("cannot read the recipe: %v", Reason(err))}}
}

// Read reads a recipe or a plan, or stdin when path is "-". What is larger than any of them may be is cut: the evaluation
// says so.
func Read(path string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	if in == nil {
		return nil, errors.New("there is no standard input")
	}
	data, err := wholly(in, mostSource+1)
	if err == nil && len(data) > mostSource && isPlan(data) {
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(in, mostPlan-mostSource))
		data = append(data, rest...)
	}
	return data, err
}

// Reason is an error without the path that its diagnostic names already.
func Reason(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// EvaluateBytes is Evaluate of source text; name is what diagnostics call it and what loads are relative to.
func EvaluateBytes(name string, src []byte, o Options) (*plan.Plan, diag.List) {
	if isPlan(src) {
		return decode(name, src)
	}
	if o.Files == nil {
		folder := &Folder{Path: FolderOf(name, o.Root)}
		defer folder.Close()
		o.Files = folder
	}
	return newEvaluation(name, o).evaluate(name, src)
}

// isPlan tells a plan's JSON from a recipe, which cannot begin with a brace to any effect.
func isPlan(text []byte) bool {
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// decode takes a plan's JSON where a recipe may stand.
func decode(name string, src []byte) (*plan.Plan, diag.List) {
	at := diag.Span{File: name}
	if len(src) > mostPlan {
		return nil, diag.List{{Severity: diag.Error, Code: CodeTooLarge, At: at, Message: fmt.Sprintf("the plan is larger than %d MiB", mostPlan>>20)}}
	}
	p, err := plan.Decode(src)
	if err == nil {
		return p, nil
	}
	var list diag.List
	for _, problem := range problems(err) {
		list = append(list, diag.Diagnostic{Severity: diag.Error, Code: problem.Code, At: at, Word: problem.Path, Message: problem.Message,
			Found: problem.Found, Accepted: problem.Accepted, Hint: problem.Hint})
	}
	if len(list) == 0 {
		list = diag.List{badPlan(name, src, err)}
	}
	return nil, list
}

var planLine = pattern(`line (\d+): `)

// badPlan is the diagnostic of JSON that is no plan, at the line that the error names.
func badPlan(name string, src []byte, err error) diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Error, Code: CodeBadPlan, At: diag.Span{File: name}, Message: err.Error(), Hint: "recipe plan FILE writes a plan"}
	if strings.HasSuffix(name, ".star") {
		d.Hint = `a recipe is written in Starlark: service(name = "foo", command = ["/usr/bin/foo"]); ` + d.Hint
	}
	m := planLine().FindStringSubmatch(d.Message)
	if m == nil {
		return d
	}
	number, _ := strconv.Atoi(m[1])
	if lines := bytes.SplitN(src, []byte("\n"), number+1); number <= len(lines) {
		d.Source = string(bytes.TrimRight(lines[number-1], "\r"))
		indent := len(d.Source) - len(strings.TrimLeft(d.Source, " \t"))
		d.Message = strings.Replace(d.Message, m[0], "", 1)
		d.At = diag.Span{File: name, Line: number, Column: indent + 1, EndLine: number, EndColumn: utf8.RuneCountInString(d.Source) + 1}
	}
	return d
}

// problems finds what validation said in an error of plan.Decode.
func problems(err error) []plan.Problem {
	var found []plan.Problem
	switch e := err.(type) {
	case plan.Problem:
		found = append(found, e)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = append(found, problems(inner)...)
		}
	case interface{ Unwrap() error }:
		found = problems(e.Unwrap())
	}
	return found
}

// dialect is what the language takes from Starlark.
func dialect() *syntax.FileOptions { return &syntax.FileOptions{Set: true, TopLevelControl: true} }

// evaluation is one run from source to plan. It is used once, by one goroutine.
type evaluation struct {
	loader
	recording *builtins.Recording
	thread    *starlark.Thread
	words     starlark.StringDict
	sources   map[string]*source  // by the name that diagnostics show
	globals   starlark.StringDict // of the recipe, once it has run
	list      diag.List
	name      string // of the recipe, as diagnostics show it
	budget    uint64
	spent     bool // the budget of steps
	coverage  *Coverage
	compiled  *Compiled
}

func newEvaluation(name string, o Options) *evaluation {
	recording := builtins.NewRecording()
	e := &evaluation{name: name, recording: recording, words: builtins.Environment(recording), sources: map[string]*source{}, coverage: o.Coverage}
	if o.Coverage == nil { // what is counted is compiled otherwise
		e.compiled = o.Compiled
	}
	e.loader = newLoader(name, o)
	e.thread = &starlark.Thread{Name: "recipe", Load: e.loaded, OnMaxSteps: func(t *starlark.Thread) {
		e.spent = true
		t.Cancel("the budget is spent")
	}}
	if e.budget = o.Steps; e.budget == 0 {
		e.budget = DefaultSteps
	}
	e.thread.SetMaxExecutionSteps(e.budget)
	e.recording.Attach(e.thread)
	e.recording.ReadText = e.readText
	return e
}

func (e *evaluation) evaluate(name string, src []byte) (p *plan.Plan, list diag.List) {
	defer func() {
		if broken := recover(); broken != nil { // a supervisor evaluates recipes, and must outlive every one
			p, list = nil, diag.List{brokenDown(name, broken)}
		}
	}()
	e.globals = e.run(&source{name: name, text: string(src)})
	e.keep()
	p = e.recording.Plan(fileName(name))
	p.Inputs = e.inputs()
	if list = e.conclude(p); list.Failed() {
		return nil, list
	}
	return p, list
}

// conclude judges what was declared, and returns all that there is to say.
func (e *evaluation) conclude(p *plan.Plan) diag.List {
	e.validate(p)
	if !e.list.Failed() {
		e.declares(p)
		e.bounded(p)
	}
	if !e.list.Failed() {
		e.lint(p)
	}
	return e.list.Sort()
}

func brokenDown(name string, broken any) diag.Diagnostic {
	return diag.Diagnostic{Severity: diag.Error, Code: CodeBroken, At: diag.Span{File: name}, Found: fmt.Sprint(broken),
		Message: "the evaluation broke down: a fault of this program, not of the recipe", Hint: "leave out what was written last, and report the fault with the recipe"}
}

// fileName is the plan's name when nothing in the recipe gives one: that of its file, made to fit.
func fileName(path string) string {
	base := strings.ToLower(strings.TrimSuffix(filepath.Base(path), ".star"))
	base = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, base)
	base = strings.TrimLeft(base, "._-")
	if base == "" {
		return "recipe"
	}
	return base[:min(len(base), 64)]
}
