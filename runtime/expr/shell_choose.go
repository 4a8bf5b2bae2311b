package expr

import "strings"

// truth writes an expression of kind Bool that has arguments, and leaves true or false in $value.
func (w *shellWriter) truth(e Expr) []part {
	w.lines = append(w.lines, "if "+w.condition(e)+"; then value=true; else value=false; fi")
	return expansion("value")
}

// condition writes what a truth needs beforehand and returns the command that succeeds if it holds.
func (w *shellWriter) condition(e Expr) string {
	e = once(e)
	if _, ok := folded(e); ok {
		return w.tested(e)
	}
	switch e.Op {
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		return w.comparison(e)
	case OpNot:
		return "! " + w.group(e.Args[0])
	case OpAnd:
		return w.group(e.Args[0]) + " && " + w.later(e.Args[1])
	case OpOr:
		return w.group(e.Args[0]) + " || " + w.later(e.Args[1])
	}
	return w.tested(e)
}

// tested is the command for a truth that is a word.
func (w *shellWriter) tested(e Expr) string {
	parts := w.expression(e, false)
	if !parts[0].expansion {
		return parts[0].text // true or false, which are commands
	}
	return "[ " + join(parts) + " = true ]"
}

func (w *shellWriter) comparison(e Expr) string {
	args := w.arguments(e.Args, false)
	a, b := join(args[0]), join(args[1])
	kind, _ := e.Args[0].Kind(w.flag)
	if kind.Numeric() {
		return "[ " + a + " -" + string(e.Op) + " " + b + " ]"
	}
	symbol := " = "
	if e.Op == OpNe {
		symbol = " != "
	}
	return "[ " + a + symbol + b + " ]"
}

// once leaves out every pair of nots, since sh has no ! !.
func once(e Expr) Expr {
	for e.Op == OpNot && e.Args[0].Op == OpNot {
		e = e.Args[0].Args[0]
	}
	return e
}

// group is a condition as one command.
func (w *shellWriter) group(e Expr) string {
	e = once(e)
	text := w.condition(e)
	if e.Op == OpAnd || e.Op == OpOr {
		return "{ " + text + "; }"
	}
	return text
}

// later is a condition as one command, together with what it needs beforehand, so that both may be left out.
func (w *shellWriter) later(e Expr) string {
	before := w.lines
	w.lines = nil
	text := w.group(e)
	lines := w.lines
	w.lines = before
	if len(lines) == 0 {
		return text
	}
	return "{\n" + strings.Join(indented(append(lines, text)), "\n") + "\n}"
}

// choose leaves what cond or select come to in $value.
func (w *shellWriter) choose(e Expr) {
	if e.Op == OpCond {
		w.lines = append(w.lines, "if "+w.condition(e.Args[0])+"; then")
		w.lines = append(w.lines, indented(w.branch(e.Args[1]))...)
		w.lines = append(w.lines, "else")
		w.lines = append(w.lines, indented(w.branch(e.Args[2]))...)
		w.lines = append(w.lines, "fi")
		return
	}
	of := w.expression(e.Args[0], false)
	w.lines = append(w.lines, "case "+join(of)+" in")
	rest := e.Args[1:]
	for ; len(rest) > 1; rest = rest[2:] {
		w.alternative(quoted(rest[0].literal().String()), w.branch(rest[1]))
	}
	if len(rest) == 1 {
		w.alternative("*", w.branch(rest[0]))
	} else {
		message := append(append(literal(`select has no result for "`), of...), part{text: `"`})
		w.alternative("*", []string{"fail " + join(message)})
	}
	w.lines = append(w.lines, "esac")
}

func (w *shellWriter) alternative(pattern string, lines []string) {
	w.lines = append(w.lines, pattern+")")
	w.lines = append(w.lines, indented(append(lines, ";;"))...)
}

// branch is the lines that leave e in $value.
func (w *shellWriter) branch(e Expr) []string {
	before := w.lines
	w.lines = nil
	if word := join(w.expression(e, false)); word != `"$value"` {
		w.lines = append(w.lines, "value="+word)
	}
	lines := w.lines
	w.lines = before
	return lines
}

// indented moves lines to the right; a line end within one, in a text, is left as it is.
func indented(lines []string) []string {
	moved := make([]string, len(lines))
	for i, line := range lines {
		moved[i] = "\t" + line
	}
	return moved
}
