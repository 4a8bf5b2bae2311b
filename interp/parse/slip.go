package parse

import (
	"fmt"
	"strings"

	"recipe/builtins/diag"
)

// slip is one error of the parser, and the tokens around it.
type slip struct {
	statement
	message       string // the parser's
	found, wanted string // its names of tokens, where it says so
	line, column  int    // where it stands, in the file
	at            int    // the token at fault; where the line or the file ends, the one behind that
	ends          bool   // the line or the file ends where more was wanted
}

// answer is what an author is told; at is the place of the slip unless given. What is said once in a file is true of all
// of it.
type answer struct {
	once                bool
	code, message, hint string
	found, accepted     string
	at                  diag.Span
	related             []diag.Related
}

// explain makes a diagnostic of an error in a statement, and tells whether it need be said but once in a file. Its source
// lines are left to the caller.
func explain(name string, s statement, err error) (diag.Diagnostic, bool) {
	p := newSlip(s, err)
	a := p.say()
	if a.code == "" {
		a.code = CodeSyntax
	}
	if a.at.Line == 0 {
		a.at = p.here()
	}
	d := diag.Diagnostic{Severity: diag.Error, Code: a.code, At: a.at, Message: a.message, Found: a.found, Accepted: a.accepted, Hint: a.hint, Related: a.related}
	d.At.File = name
	for i := range d.Related {
		d.Related[i].At.File = name
	}
	return d, a.once
}

func newSlip(s statement, err error) *slip {
	p := &slip{statement: s}
	p.line, p.column, p.message = message(err)
	p.line += s.first - 1
	if found, wanted, ok := strings.Cut(strings.TrimPrefix(p.message, "got "), ", want "); ok {
		p.found, p.wanted = found, wanted
	}
	p.ends = p.found == "newline" || p.found == "end of file" || p.found == "outdent"
	p.at = p.find()
	return p
}

// find gives the token at fault. The parser has read past it, unless it wanted a value or could not make a token at all.
func (p *slip) find() int {
	before := p.wanted == "primary expression" || p.found == "" || p.found == "indent"
	for i, t := range p.tokens {
		starts := t.line < p.line || t.line == p.line && t.column < p.column
		passed := t.endLine < p.line || t.endLine == p.line && t.endColumn < p.column
		switch {
		case p.ends && !starts, before && !starts:
			return i
		case before && starts && (t.endLine > p.line || t.endLine == p.line && t.endColumn > p.column):
			return i
		case !p.ends && !before && !passed:
			return i
		}
	}
	return len(p.tokens)
}

// tok is the token so many places behind the one at fault; those in front are negative.
func (p *slip) tok(by int) token { return at(p.tokens, p.at+by) }

// bad is the token at fault, or the one in front of the end.
func (p *slip) bad() token {
	if p.ends {
		return p.tok(-1)
	}
	return p.tok(0)
}

// head is the first token of the line that the token at fault stands on.
func (p *slip) head() token {
	line := p.bad().line
	for _, t := range p.tokens {
		if t.line == line {
			return t
		}
	}
	return token{}
}

// around is the bracket that the token at fault lies in; none outside of all.
func (p *slip) around() token {
	i := -1
	switch {
	case p.at < len(p.tokens) && !p.ends:
		i = p.tok(0).open
	case p.at > 0:
		if last := p.tok(-1); last.kind == sign && opener(last.text) {
			i = p.at - 1
		} else if last.kind == sign && closer(last.text) && last.open >= 0 && pairs(at(p.tokens, last.open).text, last.text) {
			i = at(p.tokens, last.open).open
		} else {
			i = last.open
		}
	}
	return at(p.tokens, i)
}

// here is the token at fault, or the place behind what stands in front of an end.
func (p *slip) here() diag.Span {
	switch t := p.tok(0); {
	case p.ends:
		return behind(p.tok(-1))
	case t.kind != none:
		return spanOf(t)
	}
	return diag.Span{Line: p.line, Column: p.column, EndLine: p.line, EndColumn: p.column + 1}
}

func spanOf(t token) diag.Span {
	return diag.Span{Line: t.line, Column: t.column, EndLine: t.endLine, EndColumn: t.endColumn}
}

// through is the span from one token to the end of another.
func through(from, to token) diag.Span {
	return diag.Span{Line: from.line, Column: from.column, EndLine: to.endLine, EndColumn: to.endColumn}
}

// behind is the place of one character after a token.
func behind(t token) diag.Span {
	return diag.Span{Line: t.endLine, Column: t.endColumn, EndLine: t.endLine, EndColumn: t.endColumn + 1}
}

func also(t token, label string) diag.Related { return diag.Related{At: spanOf(t), Label: label} }

// say takes the first rule that fits.
func (p *slip) say() answer {
	for _, rule := range []func(*slip) (answer, bool){sayText, sayCharacter, sayIndent, sayForeign, sayLoad, sayBracket, sayColon, sayEquals, sayComma, sayNumber, sayValue} {
		if a, fits := rule(p); fits {
			return a
		}
	}
	a := answer{message: "this cannot be read"}
	if p.found != "" {
		a.found, a.accepted = plain(p.found), plain(p.wanted)
	} else {
		a.message = fmt.Sprintf("this cannot be read: %s", p.message)
	}
	return a
}

// plain gives the parser's names of tokens in an author's words.
func plain(token string) string {
	switch token {
	case "identifier":
		return "a name"
	case "string literal":
		return "a text"
	case "int literal", "float literal":
		return "a number"
	case "primary expression":
		return "a value"
	case "newline":
		return "the end of the line"
	case "end of file":
		return "the end of the file"
	case "indent":
		return "an indented line"
	case "outdent":
		return "the end of the block"
	}
	return token
}
