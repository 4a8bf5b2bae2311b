package parse

import (
	"strings"
	"unicode"
)

type kind int

const (
	none kind = iota
	word
	number
	text
	sign
)

// token is a piece of a source. Lines and columns count from 1, in characters; the end is exclusive.
type token struct {
	kind               kind
	text               string
	line, column       int
	endLine, endColumn int
	glued              bool // nothing stands between it and the token before
	unclosed           bool // a text without its last quote
	open               int  // the index, in its statement, of the bracket that it lies in; -1 outside of all
}

// signs are those of several characters, of Starlark and of other languages, the longest first.
var signs = []string{
	"<<=", ">>=", "//=", "===", "!==", "...", "**", "//", "==", "!=", "<=", ">=", "->", "=>", ":=", "&&", "||", "++", "--", "<>", "<<", ">>",
	"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "/*",
}

func opener(t string) bool { return t == "(" || t == "[" || t == "{" }
func closer(t string) bool { return t == ")" || t == "]" || t == "}" }

func pairs(open, close string) bool {
	return open == "(" && close == ")" || open == "[" && close == "]" || open == "{" && close == "}"
}

func at(tokens []token, i int) token {
	if i < 0 || i >= len(tokens) {
		return token{open: -1}
	}
	return tokens[i]
}

// scanner walks over the characters of a text.
type scanner struct {
	runes        []rune
	at           int
	line, column int
	tokens       []token
}

// scan cuts any text into tokens; comments and white space are left out, and brackets are left to statements.
func scan(source string) []token {
	s := &scanner{runes: []rune(source), line: 1, column: 1}
	for s.at < len(s.runes) {
		start := s.at
		r := s.runes[s.at]
		switch {
		case r == '#':
			for s.at < len(s.runes) && s.runes[s.at] != '\n' {
				s.step()
			}
		case unicode.IsSpace(r):
			s.step()
		case s.quote() > 0:
			s.take(text, s.endOfText)
		case isDigit(r):
			s.take(number, func() bool { return s.while(isLetterOrDigit) })
		case isLetter(r):
			s.take(word, func() bool { return s.while(isLetterOrDigit) })
		default:
			s.take(sign, s.endOfSign)
		}
		if s.at == start {
			s.step()
		}
	}
	return s.tokens
}

func (s *scanner) step() {
	if s.runes[s.at] == '\n' {
		s.line, s.column = s.line+1, 0
	}
	s.at++
	s.column++
}

// take makes a token of what end walks over; end tells whether it was whole.
func (s *scanner) take(k kind, end func() bool) {
	t := token{kind: k, line: s.line, column: s.column, open: -1}
	start := s.at
	whole := end()
	t.text, t.endLine, t.endColumn, t.unclosed = string(s.runes[start:s.at]), s.line, s.column, !whole
	if n := len(s.tokens); n > 0 {
		t.glued = s.tokens[n-1].endLine == t.line && s.tokens[n-1].endColumn == t.column
	}
	s.tokens = append(s.tokens, t)
}

// quote is how many quotes open a text here: 3, 1, or 0 when none does. A prefix r or b may stand in front.
func (s *scanner) quote() int {
	i := s.at
	for n := 0; n < 2 && i < len(s.runes) && (s.runes[i] == 'r' || s.runes[i] == 'b'); n++ {
		i++
	}
	if i >= len(s.runes) || s.runes[i] != '"' && s.runes[i] != '\'' {
		return 0
	}
	if i+2 < len(s.runes) && s.runes[i+1] == s.runes[i] && s.runes[i+2] == s.runes[i] {
		return 3
	}
	return 1
}

func (s *scanner) endOfText() bool {
	quotes := s.quote()
	for s.runes[s.at] == 'r' || s.runes[s.at] == 'b' {
		s.step()
	}
	mark := s.runes[s.at]
	for range quotes {
		s.step()
	}
	for s.at < len(s.runes) {
		switch r := s.runes[s.at]; {
		case r == '\\' && s.at+1 < len(s.runes):
			s.step()
		case r == '\n' && quotes == 1:
			return false
		case r == mark && (quotes == 1 || s.at+2 < len(s.runes) && s.runes[s.at+1] == mark && s.runes[s.at+2] == mark):
			for range quotes {
				s.step()
			}
			return true
		}
		s.step()
	}
	return false
}

func (s *scanner) endOfSign() bool {
	rest := string(s.runes[s.at:min(s.at+3, len(s.runes))])
	for _, long := range signs {
		if strings.HasPrefix(rest, long) {
			for range long {
				s.step()
			}
			return true
		}
	}
	s.step()
	return true
}

func (s *scanner) while(in func(rune) bool) bool {
	for s.at < len(s.runes) && in(s.runes[s.at]) {
		s.step()
	}
	return true
}

func isDigit(r rune) bool         { return r >= '0' && r <= '9' }
func isLetter(r rune) bool        { return r == '_' || unicode.IsLetter(r) }
func isLetterOrDigit(r rune) bool { return isDigit(r) || isLetter(r) }
