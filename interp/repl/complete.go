package repl

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"recipe/builtins"
)

// Candidate is a word that may stand at the cursor, and what it is.
type Candidate struct{ Word, About string }

// Complete gives what the word that ends at the cursor, counted in characters, may become: commands, words, the
// parameters of the call that the cursor is in, and the session's own names. It evaluates nothing.
func (s *Session) Complete(line []rune, cursor int) []Candidate {
	s.mu.Lock()
	names := s.answer.Names
	s.mu.Unlock()
	before := string(line[:min(cursor, len(line))])
	if prefix, ok := strings.CutPrefix(strings.TrimLeft(before, " "), ":"); ok && !strings.Contains(prefix, " ") {
		var list []Candidate
		for _, c := range commands() {
			list = append(list, Candidate{":" + c.name, c.help})
		}
		return matching(list, ":"+prefix)
	}
	word := lastWord(before)
	var list []Candidate
	if w := find(enclosing(before)); w != nil {
		for _, p := range w.Parameters {
			if !p.Rest {
				list = append(list, Candidate{p.Name + " = ", p.Doc})
			}
		}
	}
	if strings.HasPrefix(word, "host.") {
		for _, fact := range []string{"cpus", "memory", "name", "arch"} {
			list = append(list, Candidate{"host." + fact, "a fact of the host"})
		}
	}
	for _, w := range builtins.Words() {
		list = append(list, Candidate{w.Name, w.Doc})
	}
	for _, n := range names {
		list = append(list, Candidate{n.Name, n.About})
	}
	return matching(list, word)
}

func matching(list []Candidate, prefix string) []Candidate {
	list = slices.DeleteFunc(list, func(c Candidate) bool { return !strings.HasPrefix(c.Word, prefix) })
	slices.SortStableFunc(list, func(a, b Candidate) int { return cmp.Compare(a.Word, b.Word) })
	return slices.CompactFunc(list, func(a, b Candidate) bool { return a.Word == b.Word })
}

// Hint is what there is to say about the place of the cursor: of the parameter whose value stands there, of the word
// before, or of the call around.
func (s *Session) Hint(line []rune, cursor int) string {
	before := string(line[:min(cursor, len(line))])
	call := find(enclosing(before))
	if w := find(lastWord(before)); w != nil {
		return w.Signature() + ": " + w.Doc
	}
	if call == nil {
		return ""
	}
	if name := parameterAt(before); name != "" {
		for _, p := range call.Parameters {
			if p.Name == name {
				return call.Name + ": " + p.Name + " (" + p.Type.Name + "): " + p.Doc
			}
		}
	}
	return call.Signature()
}

func find(name string) *builtins.Word {
	words := builtins.Words()
	for i := range words {
		if words[i].Name == name {
			return &words[i]
		}
	}
	return nil
}

// lastWord is the name, dots included, that a text ends with.
func lastWord(text string) string {
	return text[len(strings.TrimRightFunc(text, func(r rune) bool {
		return r == '_' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r)
	})):]
}

// enclosing is the function of the innermost call that is open at the end of a text, outside of texts and comments.
func enclosing(text string) string {
	var open []string
	scan(text, func(i int, c byte) {
		switch c {
		case '(':
			open = append(open, lastWord(strings.TrimRight(text[:i], " ")))
		case '[', '{':
			open = append(open, "")
		case ')', ']', '}':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	})
	for i := len(open) - 1; i >= 0; i-- {
		if open[i] != "" {
			return open[i]
		}
	}
	return ""
}

// parameterAt is the parameter whose value stands at the end of a text.
func parameterAt(text string) string {
	start := 0
	scan(text, func(i int, c byte) {
		if c == '(' || c == ',' {
			start = i + 1
		}
	})
	name, _, ok := strings.Cut(text[start:], "=")
	if !ok {
		return ""
	}
	return strings.TrimSpace(name)
}

// scan visits the bytes of a text that are code.
func scan(text string, visit func(i int, c byte)) {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#':
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return
			}
			i += end
		default:
			visit(i, c)
		}
	}
}
