package parse

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"recipe/builtins/diag"
)

// sayText takes texts that are not closed, and what a backslash stands for in one.
func sayText(p *slip) (answer, bool) {
	switch {
	case strings.Contains(p.message, "in string"):
		return p.openText(), true
	case strings.HasPrefix(p.message, "invalid escape sequence"):
		sequence := strings.TrimPrefix(p.message, "invalid escape sequence ")
		a := answer{message: fmt.Sprintf("%s stands for nothing in a text", sequence), found: sequence, hint: `write \\ for a backslash itself, or r"..." for a text in which it is one`}
		t := p.tok(0)
		if i := strings.Index(t.text, sequence); i >= 0 && t.line == t.endLine {
			start := t.column + len([]rune(t.text[:i]))
			a.at = diag.Span{Line: t.line, Column: start, EndLine: t.line, EndColumn: start + len([]rune(sequence))}
		}
		return a, true
	case strings.Contains(p.message, "stray backslash"):
		return answer{message: "a backslash that joins two lines is the last character of its line", hint: "remove what follows it; inside of brackets lines are joined without one",
			at: diag.Span{Line: p.line, Column: p.column - 1, EndLine: p.line, EndColumn: p.column}}, true
	}
	return answer{}, false
}

// openText is a text without its last quote. The slip is often further left: a text that ended too late is found by
// the signs of a call in it.
func (p *slip) openText() answer {
	t := p.tok(0)
	if strings.Contains(t.text, `"""`) || strings.Contains(t.text, "'''") {
		return answer{message: "the text that opens here is not closed before the file ends", hint: fmt.Sprintf("close it with %s", strings.TrimLeft(t.text, "rb")[:3]),
			at: diag.Span{Line: t.line, Column: t.column, EndLine: t.line, EndColumn: t.column + 3}}
	}
	a := answer{message: "the text that opens here is not closed on its line", hint: `close the quote; \n stands for a line end, and """ opens a text of several lines`}
	for _, other := range p.tokens {
		if other.kind == text && !other.unclosed && other.line == t.line && (strings.Contains(other.text, " = ") || strings.Contains(other.text, ", ")) {
			a.related = append(a.related, also(other, "should this text end earlier?"))
			break
		}
	}
	return a
}

// sayCharacter takes characters that have no meaning outside of texts.
func sayCharacter(p *slip) (answer, bool) {
	if !strings.HasPrefix(p.message, "unexpected input character") {
		return answer{}, false
	}
	t := p.tok(0)
	r := inQuotes(p.message)
	a := answer{found: string(r), message: "this character has no meaning outside of texts", at: diag.Span{Line: p.line, Column: p.column, EndLine: p.line, EndColumn: p.column + 1}}
	switch {
	case r == '!':
		a.message, a.hint = "! is no operator", "write not x, or x != y"
	case r == '?':
		a.message, a.hint = "? is no operator", "write A if CONDITION else B"
	case r == '$':
		a.message, a.hint = "names are written without $", `fmt("--port={}", port) puts a value into a text; a recipe sees no variables of the environment`
		a.at, a.found = through(t, p.tok(1)), t.text+p.tok(1).text
	case r == '@':
		a.message, a.hint = "the language has no decorators", "call the function where its result is wanted"
	case r == '`':
		a.message, a.hint = "no shell is asked for a value here", "what the host decides is a fact of it, as host.cpus, or a flag"
	case strings.ContainsRune("“”„‘’«»", r):
		a.message, a.hint = fmt.Sprintf("%c is no quote that opens a text", r), `write the plain ones: "..."`
	case unicode.IsSpace(r) || unicode.In(r, unicode.Cf):
		a.message, a.found, a.hint = "this character looks like a space, and is none", fmt.Sprintf("U+%04X", r), "remove it, and write a plain space"
	}
	return a, true
}

// inQuotes is the character that the parser's message names.
func inQuotes(message string) rune {
	first := strings.IndexAny(message, "'`")
	if first < 0 {
		return utf8.RuneError
	}
	quoted := message[first:]
	if text, err := strconv.Unquote(quoted); err == nil {
		r, _ := utf8.DecodeRuneInString(text)
		if strings.HasPrefix(text, "'") && len(text) > 2 {
			r, _, _, _ = strconv.UnquoteChar(text[1:], '\'')
		}
		return r
	}
	return utf8.RuneError
}
