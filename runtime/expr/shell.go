package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Shell writes expressions as POSIX sh that comes to the same values and errors as Eval, in dash and in busybox sh. The
// script around it keeps to this:
//
//   - $root is the root of the run without a trailing slash, empty for none.
//   - $flag_NAME holds the value of each flag ('-' becomes '_'), as Value leaves it: numbers in bytes or milliseconds,
//     true or false, paths with the root.
//   - `fail REASON` is a function that does not return.
//   - Functions and Facts, asked for after every expression has been written, come first.
//
// What a line computes is left in $value; results that are needed later are kept in $v1, $v2 and so on. What is not
// chosen is not computed: the lines of a branch stand in an if or a case.
type Shell struct {
	flag func(name string) (Kind, bool)
	used map[string]bool // functions, and facts as host_NAME
	kept int
}

// NewShell takes the kinds of the flags, as Kind does.
func NewShell(flag func(name string) (Kind, bool)) *Shell {
	return &Shell{flag: flag, used: map[string]bool{}}
}

// Text writes e as a daemon reads it, as Value.String does. The word, quoted as it needs, expands to the value once the
// lines have run; there are none when nothing can fail. Lines of other expressions may come between.
func (s *Shell) Text(e Expr) (lines []string, word string, err error) { return s.write(e, true) }

// Value writes e as flags hold it: durations are milliseconds.
func (s *Shell) Value(e Expr) (lines []string, word string, err error) { return s.write(e, false) }

// Words writes e as arguments of a command: as Text does, but for a list, which comes to a word for each element. Those
// of a flag are parted by the shell itself, so that the command must be run with IFS=, and set -f; split says so.
func (s *Shell) Words(e Expr) (lines []string, words string, split bool, err error) {
	if kind, err := e.Kind(s.flag); err != nil || kind != List {
		lines, words, err = s.Text(e)
		return lines, words, false, err
	}
	if v, err := e.Eval(&Env{}); err == nil && e.Constant() {
		quoted := v.Elements()
		for i, element := range quoted {
			quoted[i] = QuoteShell(element)
		}
		return nil, strings.Join(quoted, " "), false, nil
	}
	lines, word, err := s.Text(e)
	return lines, strings.Trim(word, `"`), true, err // of what is computed there is one expansion
}

func (s *Shell) write(e Expr, asText bool) ([]string, string, error) {
	if _, err := e.Kind(s.flag); err != nil {
		return nil, "", err
	}
	nul := false
	e.Walk(func(n Expr) { nul = nul || strings.ContainsRune(n.Text, 0) })
	if nul {
		return nil, "", fmt.Errorf("a text holds a NUL, which no shell can")
	}
	w := &shellWriter{Shell: s}
	parts := w.expression(e, asText)
	if w.emits(e, asText) {
		parts = w.keep(parts)
	}
	return w.lines, join(parts), nil
}

// Use adds a function to Functions, with those that it calls: `duration MILLISECONDS` leaves FormatDuration's text in
// $value, for instance.
func (s *Shell) Use(function string) {
	s.used[function] = true
	for _, f := range shellFunctions {
		if f.name == function {
			for _, needed := range f.needs {
				s.used[needed] = true
			}
		}
	}
}

// Functions is the text of the functions that the expressions written so far call.
func (s *Shell) Functions() string {
	var b strings.Builder
	for _, f := range shellFunctions {
		if s.used[f.name] {
			b.WriteString(f.text)
		}
	}
	return b.String()
}

// Facts is the text that asks this host for the facts that the expressions written so far name.
func (s *Shell) Facts() string {
	var b strings.Builder
	for _, f := range shellFacts {
		if s.used[f.name] {
			b.WriteString(f.text)
		}
	}
	return b.String()
}

// ShellFlag is the name of the variable that holds a flag.
func ShellFlag(name string) string { return "flag_" + strings.ReplaceAll(name, "-", "_") }

// part is a piece of a word: text as it stands, or an expansion, the inside of ${}.
type part struct {
	text      string
	expansion bool
}

func literal(s string) []part   { return []part{{text: s}} }
func expansion(s string) []part { return []part{{text: s, expansion: true}} }

// shellWriter writes the lines of one expression.
type shellWriter struct {
	*Shell
	lines []string
}

func (w *shellWriter) expression(e Expr, asText bool) []part {
	if v, ok := folded(e); ok {
		if v.Kind == Duration && !asText {
			v.Kind = Int
		}
		return literal(v.String())
	}
	switch e.Op {
	case OpInt, OpSize:
		return literal(Value{Kind: Int, Int: e.Int}.String())
	case OpBool:
		return literal(Value{Kind: Bool, Int: e.Int}.String())
	case OpText:
		return literal(e.Text)
	case OpPath:
		if e.Text == "/" {
			return expansion("root:-/")
		}
		return append(expansion("root"), literal(e.Text)...)
	case OpFlag:
		return w.duration(e, expansion(ShellFlag(e.Text)), asText)
	case OpHost:
		w.used["host_"+e.Text] = true
		return expansion("host_" + e.Text)
	case OpFmt:
		return w.format(e)
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe, OpAnd, OpOr, OpNot:
		return w.truth(e)
	case OpCond, OpSelect:
		w.choose(e)
		return w.duration(e, expansion("value"), asText)
	case OpList: // an empty one: others are folded
		return literal("")
	}
	args := w.arguments(e.Args, false)
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = join(a)
	}
	w.call(string(e.Op), words...)
	return w.duration(e, expansion("value"), asText)
}

// folded computes arithmetic on literals here and now. What would fail is left to fail at launch, as Eval does.
func folded(e Expr) (Value, bool) {
	fixed := e.Op == OpDuration
	if len(e.Args) > 0 && e.Op != OpFmt {
		fixed = e.Fixed()
	}
	if !fixed {
		return Value{}, false
	}
	v, err := e.Eval(&Env{})
	return v, err == nil
}

func (w *shellWriter) duration(e Expr, parts []part, asText bool) []part {
	if kind, _ := e.Kind(w.flag); !asText || kind != Duration {
		return parts
	}
	w.call("duration", join(parts))
	return expansion("value")
}

func (w *shellWriter) format(e Expr) []part {
	texts, _ := SplitFormat(e.Args[0].Text)
	parts := literal(texts[0])
	for i, a := range w.arguments(e.Args[1:], true) {
		parts = append(append(parts, a...), part{text: texts[i+1]})
	}
	return parts
}

// arguments writes each in turn and keeps those results that a later one would overwrite.
func (w *shellWriter) arguments(args []Expr, asText bool) [][]part {
	out := make([][]part, len(args))
	for i, a := range args {
		out[i] = w.expression(a, asText)
		later := slices.ContainsFunc(args[i+1:], func(b Expr) bool { return w.emits(b, asText) })
		if later && w.emits(a, asText) {
			out[i] = w.keep(out[i])
		}
	}
	return out
}

// emits reports whether writing e leaves something in $value.
func (w *shellWriter) emits(e Expr, asText bool) bool {
	if _, ok := folded(e); ok {
		return false
	}
	switch e.Op {
	case OpAdd, OpSub, OpMul, OpDiv, OpMod, OpMin, OpMax, OpClamp, OpJoin,
		OpEq, OpNe, OpLt, OpLe, OpGt, OpGe, OpAnd, OpOr, OpNot, OpCond, OpSelect:
		return true
	case OpFlag:
		kind, _ := w.flag(e.Text)
		return asText && kind == Duration
	case OpFmt:
		return slices.ContainsFunc(e.Args[1:], func(a Expr) bool { return w.emits(a, true) })
	}
	return false
}

// keep saves $value, if parts speak of it.
func (w *shellWriter) keep(parts []part) []part {
	i := slices.Index(parts, part{text: "value", expansion: true})
	if i < 0 {
		return parts
	}
	w.kept++
	name := fmt.Sprintf("v%d", w.kept)
	w.lines = append(w.lines, name+"=$value")
	parts = slices.Clone(parts)
	parts[i].text = name
	return parts
}

func (w *shellWriter) call(function string, words ...string) {
	w.Use(function)
	w.lines = append(w.lines, function+" "+strings.Join(words, " "))
}

var (
	plainWord  = regexp.MustCompile(`^[A-Za-z0-9_/.:,@%+=-]+$`)
	identifier = regexp.MustCompile(`^[a-z0-9_]+$`)
	inDouble   = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")
)

// QuoteShell makes one word of any text without a NUL, by single quotes unless it needs none.
func QuoteShell(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return quoted(s)
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// join makes one word.
func join(parts []part) string {
	var plain, double strings.Builder
	expands := false
	for i, p := range parts {
		if !p.expansion {
			plain.WriteString(p.text)
			double.WriteString(inDouble.Replace(p.text))
			continue
		}
		expands = true
		next := ""
		for _, q := range parts[i+1:] {
			if next = q.text; q.expansion || next != "" {
				if q.expansion {
					next = ""
				}
				break
			}
		}
		if identifier.MatchString(p.text) && (next == "" || !identifier.MatchString(strings.ToLower(next[:1]))) {
			double.WriteString("$" + p.text)
		} else {
			double.WriteString("${" + p.text + "}")
		}
	}
	if !expands {
		return QuoteShell(plain.String())
	}
	return `"` + double.String() + `"`
}
