package interp

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"recipe/builtins/diag"
)

// ByteOrderMark is passed over at the beginning of a source: editors of Windows write it there.
const ByteOrderMark = "\ufeff"

// scan looks at a source before it is parsed, for what Starlark's own scanner takes in silence or takes long about. It
// reports at most one fault, and whether there is none.
func (e *evaluation) scan(src *source) bool {
	d := notText(src)
	if d == nil && (strings.Contains(src.text, "\t") || hasLongWord(src.text)) {
		s := scanner{src: src}
		d = s.scan()
	}
	if d == nil {
		return true
	}
	d.Severity = diag.Error
	e.add(*d)
	return false
}

// notText finds what a text does not hold: bytes that are not UTF-8, control characters, a carriage return that ends no
// line, and the marks that reorder a line, so that it reads as another than it is.
func notText(src *source) *diag.Diagnostic {
	for i := 0; i < len(src.text); {
		c := src.text[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' || c == '\r' && strings.HasPrefix(src.text[i:], "\r\n") {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(src.text[i:])
		if why, hint := unfit(r, size); why != "" {
			d := &diag.Diagnostic{Code: CodeNotText, At: src.character(i), Message: "a recipe is text in UTF-8: " + why, Hint: hint}
			d.Found = fmt.Sprintf("U+%04X", r)
			if r == utf8.RuneError && size == 1 {
				d.Found = fmt.Sprintf("the byte 0x%02x", c)
			}
			return d
		}
		i += size
	}
	return nil
}

// unfit says why a character cannot stand in a source, and what to write, or nothing.
func unfit(r rune, size int) (why, hint string) {
	switch {
	case r == utf8.RuneError && size == 1:
		return "this byte is none", "save the file as UTF-8"
	case r == '\r':
		return "this carriage return ends no line", `lines end in \n or \r\n; in a text write \r`
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return "this control character does not belong there", fmt.Sprintf(`in a text write \x%02x`, r)
	case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
		return "this mark makes the line read as another than it is", fmt.Sprintf(`in a text write \u%04x`, r)
	}
	return "", ""
}

// hasLongWord reports whether some word has more characters than a number may have.
func hasLongWord(text string) bool {
	start := 0
	for i := range len(text) {
		if !isWord(rune(text[i])) {
			start = i + 1
		} else if i-start >= mostDigits {
			return true
		}
	}
	return false
}

// isWord reports whether a character belongs to a name or number, or to a name with dots.
func isWord(r rune) bool {
	return r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
}

// scanner goes through a text by tokens, as far as it must to know where lines and numbers begin.
type scanner struct {
	src     *source
	at      int
	depth   int       // of open brackets
	joined  bool      // the line before ended in a backslash
	indents []outline // of the blocks that are open
}

// outline is the white space before the first line of a block, and where that stands.
type outline struct {
	space string
	at    int
}

func (s *scanner) scan() *diag.Diagnostic {
	text := s.src.text
	if d := s.indentation(); d != nil {
		return d
	}
	for s.at < len(text) {
		c := text[s.at]
		switch {
		case c == '\n':
			s.at++
			if d := s.indentation(); d != nil {
				return d
			}
			continue
		case c == '#':
			if end := strings.IndexByte(text[s.at:], '\n'); end >= 0 {
				s.at += end
			} else {
				s.at = len(text)
			}
			continue
		case c == '"' || c == '\'':
			s.quoted(text[s.at])
			continue
		case strings.IndexByte("([{", c) >= 0:
			s.depth++
		case strings.IndexByte(")]}", c) >= 0:
			s.depth--
		case c == '\\':
			s.joined = strings.HasPrefix(text[s.at+1:], "\n") || strings.HasPrefix(text[s.at+1:], "\r\n")
		case isWord(rune(c)):
			if d := s.word(); d != nil {
				return d
			}
			continue
		}
		s.at++
	}
	return nil
}

// word goes over a name or number.
func (s *scanner) word() *diag.Diagnostic {
	start := s.at
	for s.at < len(s.src.text) && isWord(rune(s.src.text[s.at])) {
		s.at++
	}
	if first := s.src.text[start]; s.at-start > mostDigits && (first >= '0' && first <= '9' || first == '.') {
		return &diag.Diagnostic{Code: CodeTooLarge, At: s.src.character(start), Message: fmt.Sprintf("the number has more than %d digits", mostDigits)}
	}
	return nil
}

// quoted goes over a text between quotes; one that is not closed is the parser's to report.
func (s *scanner) quoted(quote byte) {
	text := s.src.text
	mark := string(quote)
	if strings.HasPrefix(text[s.at:], strings.Repeat(mark, 3)) {
		mark = strings.Repeat(mark, 3)
	}
	for s.at += len(mark); s.at < len(text); s.at++ {
		switch {
		case text[s.at] == '\\':
			s.at++
		case text[s.at] == '\n' && len(mark) == 1:
			return
		case strings.HasPrefix(text[s.at:], mark):
			s.at += len(mark)
			return
		}
	}
}

// indentation goes over the white space before a line, and compares it with that of the blocks which are open: each
// begins with that of the one around it. Otherwise the width of a tab would decide which block the line belongs to.
func (s *scanner) indentation() *diag.Diagnostic {
	text, start := s.src.text, s.at
	for s.at < len(text) && (text[s.at] == ' ' || text[s.at] == '\t') {
		s.at++
	}
	joined := s.joined
	s.joined = false
	if s.depth > 0 || joined || s.at == len(text) || strings.IndexByte("#\r\n", text[s.at]) >= 0 {
		return nil
	}
	space := text[start:s.at]
	for len(s.indents) > 0 {
		block := s.indents[len(s.indents)-1]
		switch {
		case space == block.space:
			return nil
		case strings.HasPrefix(space, block.space):
			s.indents = append(s.indents, outline{space, start})
			return nil
		case !strings.HasPrefix(block.space, space):
			return s.mixed(space, start, block)
		}
		s.indents = s.indents[:len(s.indents)-1]
	}
	if space != "" {
		s.indents = append(s.indents, outline{space, start})
	}
	return nil
}

func (s *scanner) mixed(space string, start int, block outline) *diag.Diagnostic {
	at, other := s.src.stretch(start, len(space)), s.src.stretch(block.at, len(block.space))
	return &diag.Diagnostic{Code: CodeTabs, At: at, Message: "which block this line belongs to depends on how wide a tab is",
		Found: whitespace(space), Accepted: "white space that begins like that of the block before: " + whitespace(block.space),
		Hint: "recipe fmt indents by four spaces; write no tabs", Related: []diag.Related{{At: other, Label: "the block before"}}}
}

// whitespace spells out tabs and spaces.
func whitespace(space string) string {
	var parts []string
	for len(space) > 0 {
		n := len(space) - len(strings.TrimLeft(space, space[:1]))
		name := map[byte]string{' ': "space", '\t': "tab"}[space[0]]
		if n > 1 {
			name += "s"
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, name))
		space = space[n:]
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
