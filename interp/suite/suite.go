// Package suite runs the tests that authors write in Starlark, beside their recipes: the functions test_... of files
// named *_test.star.
//
//	suite.go    a test file: its tests, and one of them run
//	bench.go    what the words of tests do: evaluate, probe, golden, assert.fails
//	coverage.go the lines that tests reached, as text and for other tools
//	junit.go    results for other tools
//
// Rules:
//   - A test is hermetic, like a recipe: it sees no clock and nothing of this machine. Host facts are the same
//     everywhere unless it gives others, and a probe judges what it gives in place of the service.
//   - Each test runs in an evaluation of its own, from the file's first statement on, with a budget of its own: tests
//     neither see nor hurt each other, and may run side by side and in any order.
//   - What fails is a diagnostic, with the place of the argument at fault. A failed assertion does not end its test.
//   - A recipe's errors that a test does not look at fail it, so that no broken recipe passes in silence.
//   - Nothing is written here: a golden file that --update would write is part of the result.
//
// What stands behind the plan, flags and probes, comes as a Runtime, which the command wires. Tests: files that pass and
// fail, the example of every word, exact line counts, and transcripts of the command.
package suite

import (
	"cmp"
	"slices"
	"strings"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Prefix begins the name of every test, Suffix ends that of every test file. Golden files lie below GoldenFolder, beside
// the file.
const (
	Prefix       = "test_"
	Suffix       = "_test.star"
	GoldenFolder = "testdata"
)

// Steps is the budget of one test, its evaluations included, each of which has no more than a recipe's.
const Steps = 2 * interp.DefaultSteps

// File is a test file: its path as diagnostics show it, and its text. Files is what lies in its folder.
type File struct {
	Name  string
	Text  []byte
	Files interp.Files
}

// Runtime is what stands behind the plan. Its methods read nothing of this machine.
type Runtime interface {
	// Resolve gives the plan's values under flags ("name=value") and facts. The error has a problem a line.
	Resolve(p *plan.Plan, sets []string, facts expr.Facts) (*builtins.Resolved, error)
	// Judge has a probe judge what is given in place of the service; nil means healthy.
	Judge(p builtins.Probed, given builtins.Given) error
}

// Options are those of one test.
type Options struct {
	Runtime Runtime
	Update  bool   // golden files that differ are part of the result, and no failure
	Cover   bool   // count lines
	Steps   uint64 // budget; Steps when 0
}

// Result is what became of one test. Diagnostics may hold notes and warnings where it passed. Steps are those of
// Starlark's machine.
type Result struct {
	Diagnostics diag.List
	Steps       uint64
	Coverage    []interp.FileCoverage
	Golden      []Golden
}

// Passed reports whether nothing failed.
func (r *Result) Passed() bool { return !r.Diagnostics.Failed() }

// Golden is a file to write: a path from the test file's folder, with slashes, and its text.
type Golden struct {
	Path string
	Text string
}

// List gives the names of a file's tests, in the order of the file. Its own statements are run for that; what is wrong
// with them, or that there is no test, is in the list.
func List(f File, o Options) ([]string, diag.List) {
	s, _ := open(f, o)
	if !s.Run() {
		return nil, s.Diagnostics()
	}
	names := s.Functions(Prefix)
	if len(names) == 0 {
		return nil, diag.List{{Severity: diag.Error, Code: interp.CodeNoTests, At: diag.Span{File: f.Name}, Message: "the file has no test",
			Accepted: "functions whose names begin with " + Prefix, Hint: "def " + Prefix + "it_evaluates(): assert.eq(evaluate(\"foo.star\").errors, [])"}}
	}
	return names, nil
}

// Run runs one test of a file.
func Run(f File, test string, o Options) Result {
	s, b := open(f, o)
	if s.Run() {
		s.Call(test)
	}
	b.conclude()
	r := Result{Diagnostics: s.Diagnostics(), Steps: s.Steps(), Golden: b.written}
	if b.coverage != nil {
		r.Coverage = b.coverage.Files()
	}
	return r
}

func open(f File, o Options) (*interp.Script, *bench) {
	b := &bench{file: f, options: o}
	if o.Cover {
		b.coverage = &interp.Coverage{}
	}
	b.script = interp.NewScript(f.Name, f.Text, interp.Options{Files: f.Files, Steps: cmp.Or(o.Steps, Steps), Coverage: b.coverage})
	b.script.Define(builtins.TestEnvironment(b))
	return b.script, b
}

// lines are the problems of an error, one a line.
func lines(err error) []string {
	return slices.Collect(strings.SplitSeq(strings.TrimRight(err.Error(), "\n"), "\n"))
}
