// Package manual writes the manual pages: recipe(1) from the command line's own model, recipe(5) from the table of words.
//
// Rules:
//   - Nothing is said here that a table can say: pages cannot fall behind the program.
//   - The same program gives the same bytes: a page has no date.
//   - Whatever a help text holds, it is shown as it is: roff sees no request and no escape in it.
//
// Tests: mandoc finds nothing to complain of, and what it shows has every verb, flag, word and parameter.
package manual

import (
	"bytes"
	"fmt"
	"strings"
)

// page is one in man(7) macros.
type page struct{ b bytes.Buffer }

func newPage(name string, section int, summary string) *page {
	p := &page{}
	fmt.Fprintf(&p.b, ".TH %s %d \"\" recipe recipe\n", strings.ToUpper(name), section)
	p.heading("NAME")
	p.text(name + " - " + summary)
	return p
}

var escapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`)

// escaped is a text of one line as roff shows it.
func escaped(s string) string {
	s = escapes.Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

func (p *page) heading(title string)    { fmt.Fprintf(&p.b, ".SH %s\n", quoted(title)) }
func (p *page) subheading(title string) { fmt.Fprintf(&p.b, ".SS %s\n", quoted(title)) }

func quoted(s string) string { return `"` + escaped(s) + `"` }

// text writes paragraphs; what is indented by two spaces is shown line by line.
func (p *page) text(s string) {
	verbatim, open := false, false
	for line := range strings.Lines(strings.Trim(s, "\n") + "\n") {
		line = strings.TrimRight(line, "\n")
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !verbatim:
			p.b.WriteString(".PP\n.nf\n.RS 4\n")
		case !indented && verbatim:
			p.b.WriteString(".RE\n.fi\n")
			open = false
		}
		verbatim = indented
		switch {
		case line == "":
			open = false
			continue
		case !indented && !open:
			p.b.WriteString(".PP\n")
			open = true
		}
		if indented {
			p.b.WriteString(escaped(line[2:]) + "\n")
		} else {
			p.wrapped(line)
		}
	}
	if verbatim {
		p.b.WriteString(".RE\n.fi\n")
	}
}

// mostColumns is what mandoc takes for a long line of source.
const mostColumns = 78

// wrapped writes a text in lines of a source that people can read, too.
func (p *page) wrapped(s string) {
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len(escaped(line))+len(escaped(word)) >= mostColumns {
			p.b.WriteString(escaped(line) + "\n")
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	p.b.WriteString(escaped(line) + "\n")
}

// example shows source text as it is.
func (p *page) example(source string) {
	p.text("  " + strings.ReplaceAll(strings.TrimRight(source, "\n"), "\n", "\n  "))
}

// item is a term and what it is.
func (p *page) item(term, meaning string) {
	fmt.Fprintf(&p.b, ".TP\n.B %s\n", escaped(term))
	p.wrapped(meaning)
}

func (p *page) bytes() []byte {
	// A heading needs no paragraph of its own.
	out := p.b.String()
	for _, request := range []string{".SH", ".SS"} {
		out = afterHeading(out, request)
	}
	return []byte(out)
}

// afterHeading leaves out the .PP in the line after a request.
func afterHeading(text, request string) string {
	lines := strings.SplitAfter(text, "\n")
	var kept []string
	for i, line := range lines {
		if line == ".PP\n" && i > 0 && strings.HasPrefix(lines[i-1], request) {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}
