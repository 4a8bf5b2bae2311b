package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"recipe/runtime/expr"
)

// Problem is one thing that makes a plan senseless. Path names the field by its JSON names, as in
// services[0].probes[1].timeout; Code is stable and explained by `recipe explain`. Found, Accepted, Hint and Related may
// be empty.
type Problem struct {
	Path     string
	Code     string
	Message  string
	Found    string
	Accepted string
	Hint     string
	Related  []Place
}

// Place is another field that a problem concerns, and in a few words what it has to do with it.
type Place struct {
	Path  string
	Label string
}

// Error is the problem on one line.
func (p Problem) Error() string {
	text := p.Path + ": " + p.Message
	if p.Found != "" {
		text += "; found " + p.Found
	}
	if p.Accepted != "" {
		text += "; accepted: " + p.Accepted
	}
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// The codes of problems. They are part of the command line's contract.
const (
	CodeName       = "bad-name"
	CodeDuplicate  = "duplicate-name"
	CodeUndeclared = "undeclared-name"
	CodeRange      = "out-of-range"
	CodeKind       = "wrong-type"
	CodeMissing    = "missing-argument"
	CodeChoice     = "unknown-choice"
	CodePath       = "bad-path"
	CodeText       = "bad-text"
	CodeApply      = "signal-reaches-nothing"
	CodeDaemonizes = "daemonizes"
	CodeCycle      = "order-cycle"
	CodePattern    = "bad-pattern"
	CodeSecret     = "secret-shown"
	CodePortable   = "needs-more-than-sh"
	CodeConflict   = "path-conflict"
	CodeOrder      = "not-there-yet"
)

// checker collects problems. Its methods take the path of the field that they judge.
type checker struct {
	plan     *Plan
	problems []Problem
}

// Validate returns every problem of the plan, in the order of its fields; none means that the plan can be used.
func (p *Plan) Validate() []Problem {
	c := &checker{plan: p}
	c.name("name", p.Name)
	c.flags()
	c.accounts()
	if p.Package != nil {
		c.pkg(p.Package)
	}
	c.services()
	c.tasks()
	c.conflicts()
	c.hooks()
	c.inputs()
	return c.problems
}

func (c *checker) report(p Problem) { c.problems = append(c.problems, p) }

var (
	nameForm     = pattern(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	flagForm     = pattern(`^[a-z][a-z0-9-]{0,63}$`)
	accountForm  = pattern(`^[a-z_][a-z0-9_-]{0,31}$`)
	variableForm = pattern(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// pattern compiles when first asked: a launcher is this program as well, starts for every daemon, and validates nothing.
// All patterns together take 0.4 ms.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

func (c *checker) form(path, value string, form func() *regexp.Regexp, accepted string) {
	switch {
	case value == "":
		c.report(Problem{Path: path, Code: CodeMissing, Message: "a name is missing", Accepted: accepted})
	case !form().MatchString(value):
		c.report(Problem{Path: path, Code: CodeName, Message: "this name cannot be used", Found: fmt.Sprintf("%q", value), Accepted: accepted, Hint: respelt(value, form)})
	}
}

// respelt is a hint at the text with which a name would fit: in small letters, with one of -, _ and nothing for what
// cannot stand in it.
func respelt(value string, form func() *regexp.Regexp) string {
	for _, filler := range []string{"-", "_", ""} {
		fits := func(r rune) string {
			if r < 0x80 && strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+", r) {
				return string(r)
			}
			return filler
		}
		for _, other := range []*strings.Replacer{strings.NewReplacer(), strings.NewReplacer("_", filler, "-", filler), strings.NewReplacer("_", filler, "-", filler, ".", filler)} {
			var b strings.Builder
			for _, r := range clipped(value) {
				b.WriteString(fits(r))
			}
			for _, name := range []string{other.Replace(b.String()), strings.ToLower(other.Replace(b.String()))} {
				if name != value && form().MatchString(name) {
					return fmt.Sprintf("write %q", name)
				}
			}
		}
	}
	return ""
}

func clipped(value string) string { return value[:min(len(value), 64)] }

func (c *checker) name(path, value string) {
	c.form(path, value, nameForm, "a small letter or digit, then small letters, digits, '.', '_' and '-', up to 64 in all")
}

func (c *checker) account(path, value string) {
	if value != "" {
		c.form(path, value, accountForm, "a small letter or '_', then small letters, digits, '_' and '-', up to 32 in all")
	}
}

// unique refuses a name that was seen before; seen holds the field of the first of each name.
func (c *checker) unique(path, what, name string, seen map[string]string) {
	first, again := seen[name]
	if !again {
		seen[name] = path
		return
	}
	c.report(Problem{Path: path, Code: CodeDuplicate, Message: fmt.Sprintf("the %s %q is there already", what, name),
		Hint: fmt.Sprintf("give each %s a name of its own", what), Related: []Place{{first, "the first one"}}})
}

func (c *checker) choice(path, what, value string, accepted ...string) {
	if !slices.Contains(accepted, value) {
		c.report(Problem{Path: path, Code: CodeChoice, Message: fmt.Sprintf("this is no %s", what),
			Found: fmt.Sprintf("%q", value), Accepted: strings.Join(accepted, ", "), Hint: Nearest(value, accepted)})
	}
}

func (c *checker) between(path string, value, low, high int64, show func(int64) string) {
	if value < low || value > high {
		c.report(Problem{Path: path, Code: CodeRange, Message: "the value is out of range", Found: show(value),
			Accepted: show(low) + " to " + show(high)})
	}
}

// text refuses what cannot stand in an argument, a variable or a file name.
func (c *checker) text(path, value string) {
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		c.report(Problem{Path: path, Code: CodeText, Message: "the text holds a NUL or is not UTF-8", Found: fmt.Sprintf("%q", value)})
	}
}

// expression requires an expression of one of the kinds, with sound literals and without a secret in it.
func (c *checker) expression(path string, e expr.Expr, kinds ...expr.Kind) {
	c.secrets(path, e, nil)
	c.value(path, e, kinds...)
}

func (c *checker) value(path string, e expr.Expr, kinds ...expr.Kind) {
	if e.IsZero() {
		c.report(Problem{Path: path, Code: CodeMissing, Message: "a value is missing"})
		return
	}
	kind, err := e.Kind(c.plan.FlagKind)
	if err != nil {
		code := CodeKind
		e.Walk(func(n expr.Expr) {
			if n.Op == expr.OpFlag && c.plan.Flag(n.Text) == nil {
				code = CodeUndeclared
			}
		})
		c.report(Problem{Path: path, Code: code, Message: err.Error()})
		return
	}
	if !slices.Contains(kinds, kind) {
		p := Problem{Path: path, Code: CodeKind, Message: "the value is of the wrong type", Found: "a " + string(kind), Accepted: kindList(kinds)}
		if kind == expr.List && slices.Contains(kinds, expr.Text) {
			p.Hint = `join(LIST, ",") makes a text of a list`
		}
		c.report(p)
	}
	if len(e.Args) > 0 && e.Fixed() {
		if _, err := e.Eval(&expr.Env{}); err != nil {
			c.report(Problem{Path: path, Code: CodeRange, Message: "the value cannot be computed on any host: " + err.Error()})
		}
	}
	e.Walk(func(n expr.Expr) {
		c.text(path, n.Text)
		if n.Op == expr.OpPath {
			if err := expr.CheckPath(n.Text); err != nil {
				c.report(Problem{Path: path, Code: CodePath, Message: err.Error()})
			}
		}
		if (n.Op == expr.OpSize || n.Op == expr.OpDuration) && n.Int < 0 {
			c.report(Problem{Path: path, Code: CodeRange, Message: "a size or duration is below zero", Found: fmt.Sprint(n.Int)})
		}
	})
}

// mostListed bounds the names that are accepted, where a plan has more.
const mostListed = 20

func listed(names []string) string {
	if len(names) > mostListed {
		return strings.Join(names[:mostListed], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

func kindList(kinds []expr.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// anyKind is what may stand where a text is wanted.
func anyKind() []expr.Kind {
	return []expr.Kind{expr.Text, expr.Path, expr.Int, expr.Bool, expr.Size, expr.Duration}
}

func (c *checker) port(path string, e expr.Expr) {
	c.expression(path, e, expr.Int)
	if e.Op == expr.OpInt {
		c.between(path, e.Int, 1, 65535, showInt)
	}
}

func showInt(n int64) string      { return fmt.Sprint(n) }
func showSize(n int64) string     { return expr.FormatSize(n) }
func showDuration(n int64) string { return expr.FormatDuration(n) }

// Nearest is a hint that names the accepted word closest to the one found, or "" when none is close.
func Nearest(found string, accepted []string) string {
	best, least := "", len(found)/2+1
	for _, word := range accepted {
		if d := distance(strings.ToLower(found), strings.ToLower(word)); d < least {
			best, least = word, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance is Levenshtein's over bytes, with a swap of neighbours as one step.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			next[j+1] = row[j]
			if a[i] != b[j] {
				next[j+1] = 1 + min(row[j], row[j+1], next[j])
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
