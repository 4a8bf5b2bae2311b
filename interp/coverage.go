package interp

import (
	"cmp"
	"maps"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Coverage counts how often the lines of recipes and modules were reached. A line is one on which a statement begins,
// docstrings aside; the standard library is not counted. It belongs to one goroutine.
//
// Starlark's machine tells nobody which line it runs, so the tree is changed: a call of a counter that no recipe can spell
// stands before each statement. It costs no steps of the budget, and 130 ns: 7 % of an evaluation of the tour, and as much
// again as a loop that does nothing but add (BenchmarkCoverage).
type Coverage struct {
	files map[string]map[int]uint64
}

// FileCoverage is what was counted in one file, by line.
type FileCoverage struct {
	File  string         `json:"file"`
	Lines []LineCoverage `json:"lines"`
}

// LineCoverage is how often a line was reached; 0 is never.
type LineCoverage struct {
	Line  int    `json:"line"`
	Count uint64 `json:"count"`
}

// Executed counts the lines that were reached.
func (f FileCoverage) Executed() int {
	n := 0
	for _, l := range f.Lines {
		if l.Count > 0 {
			n++
		}
	}
	return n
}

// Files are those that were counted, by name, with their lines in order.
func (c *Coverage) Files() []FileCoverage {
	var all []FileCoverage
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		f := FileCoverage{File: name}
		for line, count := range c.files[name] {
			f.Lines = append(f.Lines, LineCoverage{line, count})
		}
		slices.SortFunc(f.Lines, func(a, b LineCoverage) int { return cmp.Compare(a.Line, b.Line) })
		all = append(all, f)
	}
	return all
}

// Add takes over what another run counted.
func (c *Coverage) Add(files []FileCoverage) {
	for _, f := range files {
		lines := c.file(f.File)
		for _, l := range f.Lines {
			lines[l.Line] += l.Count
		}
	}
}

func (c *Coverage) file(name string) map[int]uint64 {
	if c.files == nil {
		c.files = map[string]map[int]uint64{}
	}
	if c.files[name] == nil {
		c.files[name] = map[int]uint64{}
	}
	return c.files[name]
}

// counterName is what the calls of the counter are named; a recipe's names begin with letters.
const counterName = "+1"

// counterSteps is what one of them costs: load the counter, load the line, call, drop the result.
const counterSteps = 4

// counter is the function that counts lines of one file.
func (c *Coverage) counter(name string) *starlark.Builtin {
	lines := c.file(name)
	return starlark.NewBuiltin(counterName, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		thread.Steps -= counterSteps
		line, _ := starlark.AsInt32(args[0])
		lines[line]++
		return starlark.None, nil
	})
}

// counted puts a call of the counter before each statement of a list and of the lists in it, and enters their lines.
func (c *Coverage) counted(name string, list []syntax.Stmt) []syntax.Stmt {
	lines := c.file(name)
	var all []syntax.Stmt
	for i, s := range list {
		if i > 0 || !isText(s) {
			at := syntax.Start(s)
			lines[int(at.Line)] += 0
			all = append(all, count(at))
		}
		switch s := s.(type) {
		case *syntax.DefStmt:
			s.Body = c.counted(name, s.Body)
		case *syntax.ForStmt:
			s.Body = c.counted(name, s.Body)
		case *syntax.IfStmt:
			s.True, s.False = c.counted(name, s.True), c.counted(name, s.False)
		}
		all = append(all, s)
	}
	return all
}

// count is the statement that counts a line. Its column keeps it out of the index of places.
func count(at syntax.Position) syntax.Stmt {
	at.Col = 0
	return &syntax.ExprStmt{X: &syntax.CallExpr{
		Fn: &syntax.Ident{NamePos: at, Name: counterName}, Lparen: at, Rparen: at,
		Args: []syntax.Expr{&syntax.Literal{Token: syntax.INT, TokenPos: at, Value: int64(at.Line)}},
	}}
}

func isText(s syntax.Stmt) bool {
	e, ok := s.(*syntax.ExprStmt)
	if !ok {
		return false
	}
	l, ok := e.X.(*syntax.Literal)
	return ok && l.Token == syntax.STRING
}
