package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// widest is how many characters of a source line are shown, around the place that is meant.
const widest = 160

// mark is a place to point to below its source line: the diagnostic's own with ^, the others with - and a label.
type mark struct {
	at     Span
	source string
	label  string
	own    bool
}

// excerpts shows the source lines of all places with carets below them: the file of the diagnostic first, each file in
// the order of its lines. Lines that are left out between two are shown as dots.
func (d *Diagnostic) excerpts(b *strings.Builder, s Style) {
	last := mark{at: Span{File: d.At.File}}
	for _, m := range d.marks() {
		if !m.shown() {
			fmt.Fprintf(b, "   --> %s: %s\n", m.at, cut(clean(m.label), mostLabel))
			last = mark{}
			continue
		}
		if m.at.File != last.at.File {
			fmt.Fprintf(b, "   --> %s\n", m.at)
		} else if last.at.Line > 0 && m.at.Line > last.at.Line+1 {
			b.WriteString("      | ...\n")
		}
		m.write(b, s.of(d.Severity, m.own), m.at.File != last.at.File || m.at.Line != last.at.Line || long(m.source))
		last = m
	}
	if hidden := len(d.Related) - mostRelated; hidden > 0 {
		fmt.Fprintf(b, "      | and %s\n", plural(hidden, "more place", "more places"))
	}
}

// marks are the places that are shown, in their order; the diagnostic's own only if its line is known.
func (d *Diagnostic) marks() []mark {
	rank := map[string]int{d.At.File: 0}
	var marks []mark
	add := func(m mark) {
		if _, seen := rank[m.at.File]; !seen {
			rank[m.at.File] = len(rank)
		}
		if m.shown() || !m.own && m.at.File != "" {
			marks = append(marks, m)
		}
	}
	add(mark{d.At, d.Source, "", true})
	for _, r := range d.Related[:min(len(d.Related), mostRelated)] {
		add(mark{r.At, r.Source, r.Label, false})
	}
	slices.SortStableFunc(marks, func(a, b mark) int {
		return cmp.Or(cmp.Compare(rank[a.at.File], rank[b.at.File]), cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column))
	})
	return marks
}

// shown reports whether there is a line to show the mark in.
func (m *mark) shown() bool { return m.at.Line > 0 && strings.TrimSpace(m.source) != "" }

// mostLabel bounds the text behind a mark, in characters.
const mostLabel = 100

func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// pen draws the marks of one kind.
type pen struct {
	style  Style
	sgr    string
	symbol string
}

func (s Style) of(severity Severity, own bool) pen {
	if own {
		return pen{s, severity.colour(), "^"}
	}
	return pen{s, blue, "-"}
}

func long(source string) bool { return len(source) > widest }

// write draws the source line, unless it stands there from the mark before, and the mark below it. Tabs become four
// spaces, so that both lines agree on every terminal. Of a long line a window is shown, with dots where it was cut; of
// several lines the first, with the number of the last.
func (m *mark) write(b *strings.Builder, p pen, line bool) {
	w := m.window()
	gutter := fmt.Sprintf("%5d | ", m.at.Line)
	if line {
		fmt.Fprintf(b, "%s%s\n", p.style.paint(faint, gutter), strings.TrimRight(w.text, " "))
	}
	label := cut(clean(m.label), mostLabel)
	if m.at.EndLine > m.at.Line {
		label = strings.TrimSpace(fmt.Sprintf("to line %d %s", m.at.EndLine, label))
	}
	carets := strings.TrimRight(strings.Repeat(p.symbol, max(w.width, 1))+" "+label, " ")
	fmt.Fprintf(b, "%s%s%s\n", p.style.paint(faint, strings.Repeat(" ", len(gutter)-2)+"| "), strings.Repeat(" ", w.begin), p.style.paint(p.sgr, carets))
}

// window is the part of a source line that is shown, and where the marks stand below it, in columns.
type window struct {
	text         string
	begin, width int
}

func (m *mark) window() window {
	runes := []rune(m.source)
	start := min(max(m.at.Column-1, 0), len(runes))
	end := len(runes)
	if m.at.EndLine <= m.at.Line {
		end = min(max(m.at.EndColumn-1, start), len(runes))
	}
	from, before, after := 0, "", ""
	if len(runes) > widest {
		if from = max(0, min(start-widest/4, len(runes)-widest)); from > 0 {
			before = "..."
		}
		if from+widest < len(runes) {
			after = "..."
		}
		runes = runes[:min(len(runes), from+widest)]
		end = min(end, len(runes))
	}
	var line strings.Builder
	line.WriteString(before)
	var w window
	column := len(before)
	for i, r := range runes[from:] {
		text, width := shown(r)
		line.WriteString(text)
		if from+i == start {
			w.begin = column
		}
		column += width
		if from+i >= start && from+i < end {
			w.width = column - w.begin
		}
	}
	if start >= len(runes) {
		w.begin = column
	}
	line.WriteString(after)
	w.text = line.String()
	return w
}
