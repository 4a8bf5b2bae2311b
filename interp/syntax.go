package interp

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/syntax"

	"recipe/builtins/diag"
)

// syntaxError translates what the parser says: it stops at the first.
func (e *evaluation) syntaxError(src *source, err error) {
	d := diag.Diagnostic{Severity: diag.Error, Code: CodeSyntax, Message: "this cannot be read"}
	var se syntax.Error
	if !errors.As(err, &se) {
		d.Message = err.Error()
		e.add(d)
		return
	}
	d.At = point(se.Pos)
	if found, accepted, ok := strings.Cut(strings.TrimPrefix(se.Msg, "got "), ", want "); ok {
		d.At = src.token(d.At, found, accepted)
		d.Found, d.Accepted, d.Hint = plain(found), plain(accepted), expected(found, accepted)
	} else {
		d.Message += ": " + se.Msg
	}
	if strings.Contains(se.Msg, "excessive nesting") {
		d.Code = CodeTooLarge
	}
	for part, hint := range syntaxHints {
		if strings.Contains(se.Msg, part) {
			d.Hint = hint
		}
	}
	e.add(d)
}

// syntaxHints say what is usually behind a message of the parser; at most one of them fits.
var syntaxHints = map[string]string{
	"unexpected newline in string":     `close the quote on this line; \n stands for a line end`,
	"unexpected EOF in string":         "a quote that opens here is not closed",
	"unindent does not match":          "lines of one block begin in one column",
	"excessive nesting":                "give the inner parts names of their own",
	"without else clause":              "write VALUE if CONDITION else OTHER",
	"must have form name=expr":         "the left side of = is a plain name",
	"must import at least 1 symbol":    `name what is needed: load("x.star", "name")`,
	"must be a string literal":         `write load("x.star", "name")`,
	"unexpected input character":       "this character has no meaning outside of texts",
	"does not associate with":          "put one of the comparisons in parentheses",
	"obsolete form of octal literal":   "write 0o755",
	"unparenthesized tuple with trail": "put the values in parentheses, or drop the comma",
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

func expected(found, accepted string) string {
	switch {
	case found == "import" || found == "from":
		return `load("x.star", "name") brings names from another file`
	case reserved[found] && accepted == "primary expression":
		return fmt.Sprintf("%s is a reserved word, and the language has no such statement", found)
	case found == "indent":
		return "this line is indented more than its block"
	case accepted == "indent":
		return "what belongs to the line before is indented, by four spaces say"
	case accepted == "','" || accepted == "')'" || accepted == "']'" || accepted == "'}'":
		return "is a comma missing before this, or a bracket not closed?"
	case accepted == "newline":
		return "one statement a line"
	case accepted == "':'":
		return "if, else, for and def end in a colon"
	case accepted == "primary expression":
		return "a value is missing here"
	}
	return ""
}

var reserved = map[string]bool{
	"as": true, "assert": true, "async": true, "await": true, "class": true, "del": true, "except": true, "finally": true, "from": true, "global": true,
	"import": true, "is": true, "nonlocal": true, "raise": true, "try": true, "with": true, "yield": true, "while": true,
}

// token is the span of the token that the parser did not want: it has read past it, unless it wanted a value.
func (s *source) token(at diag.Span, found, accepted string) diag.Span {
	if found == "newline" || found == "end of file" {
		for at.Line > 1 && strings.TrimSpace(string([]rune(s.line(at.Line))[:min(at.Column-1, len([]rune(s.line(at.Line))))])) == "" {
			at.Line--
			at.Column = len([]rune(strings.TrimRight(s.line(at.Line), " \t\r"))) + 1
		}
		at.EndLine, at.EndColumn = at.Line, at.Column+1
		return at
	}
	line := []rune(s.line(at.Line))
	if accepted == "primary expression" || at.Column < 2 || at.Column > len(line)+1 {
		return at
	}
	start := at.Column - 1 // of the last character of the token, counted from 1
	switch {
	case strings.HasPrefix(found, "'"):
		start = at.Column - (len(found) - 2)
	case found == "string literal":
		for quote := line[start-1]; start > 1 && line[start-2] != quote; {
			start--
		}
		start--
	default:
		for start > 1 && isWord(line[start-2]) {
			start--
		}
	}
	if start < 1 {
		return at
	}
	at.EndColumn, at.Column = at.Column, start
	return at
}

// isWord reports whether a character belongs to a name or number, or to a name with dots.
func isWord(r rune) bool {
	return r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
}
