package diag

import (
	"fmt"
	"strings"
)

// Most is how many diagnostics are shown; the rest are counted.
const Most = 50

// String renders the list as text, a blank line between diagnostics and a newline at the end; an empty list is "".
func (l List) String() string {
	var b strings.Builder
	for i, d := range l {
		if i == Most {
			fmt.Fprintf(&b, "\nand %d more\n", len(l)-Most)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		d.write(&b)
	}
	return b.String()
}

// String renders one diagnostic as text that ends in a newline.
func (d Diagnostic) String() string {
	var b strings.Builder
	d.write(&b)
	return b.String()
}

func (d *Diagnostic) write(b *strings.Builder) {
	if place := d.At.String(); place != "" {
		fmt.Fprintf(b, "%s: ", place)
	}
	if d.Severity != Error {
		fmt.Fprintf(b, "%s: ", d.Severity)
	}
	if d.Word != "" {
		fmt.Fprintf(b, "%s: ", clean(d.Word))
	}
	fmt.Fprintf(b, "%s\n", clean(d.Message))
	if d.At.Line > 0 && strings.TrimSpace(d.Source) != "" {
		d.excerpt(b)
	}
	field := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "  %-9s %s\n", name+":", clean(text))
		}
	}
	field("found", d.Found)
	field("accepted", d.Accepted)
	field("hint", d.Hint)
	for i, f := range d.Chain {
		if i == mostFrames {
			fmt.Fprintf(b, "  in:       and %d more calls\n", len(d.Chain)-mostFrames)
			break
		}
		field("in", f.Name+" at "+f.At.String())
	}
	if d.Code != "" {
		fmt.Fprintf(b, "  [%s]\n", d.Code)
	}
}

const mostFrames = 8

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

// excerpt writes the source line and carets below the span, cut to a window where the line is long. Tabs become four
// spaces, so that both lines agree on every terminal.
func (d *Diagnostic) excerpt(b *strings.Builder) {
	runes := []rune(d.Source)
	start := min(max(d.At.Column-1, 0), len(runes))
	end := len(runes)
	if d.At.EndLine == d.At.Line {
		end = min(max(d.At.EndColumn-1, start), len(runes))
	}
	from := 0
	if len(runes) > widest {
		from = max(0, min(start-widest/4, len(runes)-widest))
		runes = runes[:min(len(runes), from+widest)]
		end = min(end, len(runes))
	}
	var line strings.Builder
	column, begin, carets := 0, 0, 0
	for i, r := range runes[from:] {
		text, width := shown(r)
		line.WriteString(text)
		if from+i == start {
			begin = column
		}
		column += width
		if from+i >= start && from+i < end {
			carets = column - begin
		}
	}
	if start >= len(runes) {
		begin = column
	}
	number := fmt.Sprintf("%5d | ", d.At.Line)
	fmt.Fprintf(b, "%s%s\n", number, strings.TrimRight(line.String(), " "))
	fmt.Fprintf(b, "%s%s%s\n", strings.Repeat(" ", len(number)-2)+"| ", strings.Repeat(" ", begin), strings.Repeat("^", max(carets, 1)))
}

const widest = 160 // characters of a source line

// longest bounds each field of a diagnostic, in characters.
const longest = 600

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
