package diag

import (
	"fmt"
	"strings"
)

// Bounds of what is shown; the rest is counted.
const (
	Most        = 50  // diagnostics
	mostFrames  = 8   // calls of a chain
	mostRelated = 8   // other places
	mostLines   = 60  // of a longer text
	longest     = 600 // characters of a field
)

// String renders the list as text without colour, a blank line between diagnostics and a newline at the end; an empty
// list is "".
func (l List) String() string { return l.Text(Plain) }

// Text is String in a style.
func (l List) Text(s Style) string {
	var b strings.Builder
	for i, d := range l {
		if i == Most {
			fmt.Fprintf(&b, "\nand %d more\n", len(l)-Most)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		d.write(&b, s)
	}
	return b.String()
}

// Text is that of each list, a blank line between two.
func (all Lists) Text(s Style) string {
	var texts []string
	for _, l := range all {
		if len(l) > 0 {
			texts = append(texts, l.Text(s))
		}
	}
	return strings.Join(texts, "\n")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// String renders one diagnostic as text that ends in a newline, without colour.
func (d Diagnostic) String() string {
	var b strings.Builder
	d.write(&b, Plain)
	return b.String()
}

func (d *Diagnostic) write(b *strings.Builder, s Style) {
	if place := d.At.String(); place != "" {
		fmt.Fprintf(b, "%s: ", s.paint(bold, place))
	}
	if d.Severity != Error {
		fmt.Fprintf(b, "%s: ", s.paint(d.Severity.colour(), string(d.Severity)))
	}
	if d.Word != "" {
		fmt.Fprintf(b, "%s: ", clean(d.Word))
	}
	fmt.Fprintf(b, "%s\n", s.paint(bold, clean(d.Message)))
	d.excerpts(b, s)
	field := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "  %s %s\n", s.paint(faint, fmt.Sprintf("%-9s", name+":")), clean(text))
		}
	}
	for i, line := range d.Lines {
		if i == mostLines {
			fmt.Fprintf(b, "    and %d more lines\n", len(d.Lines)-mostLines)
			break
		}
		fmt.Fprintf(b, "    %s\n", clean(line))
	}
	field("found", d.Found)
	field("accepted", d.Accepted)
	field("hint", d.Hint)
	for i, f := range d.Chain {
		if i == mostFrames {
			field("in", "and "+plural(len(d.Chain)-mostFrames, "more call", "more calls"))
			break
		}
		field("in", f.Name+" at "+f.At.String())
	}
	if d.Code != "" {
		fmt.Fprintf(b, "  %s\n", s.paint(faint, "["+clean(d.Code)+"]"))
	}
}

// String is file:line:column; without a line it is the file alone.
func (s Span) String() string {
	switch {
	case s.Line == 0:
		return clean(s.File)
	case s.Column == 0:
		return fmt.Sprintf("%s:%d", clean(s.File), s.Line)
	}
	return fmt.Sprintf("%s:%d:%d", clean(s.File), s.Line, s.Column)
}

// clean makes a text of one line that no terminal will act upon.
func clean(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > longest {
			b.WriteString("...")
			break
		}
		if r == '\t' || r == '\n' {
			r = ' '
		}
		s, _ := shown(r)
		b.WriteString(s)
	}
	return b.String()
}
