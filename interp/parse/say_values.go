package parse

import (
	"fmt"
	"strings"

	"recipe/builtins/diag"
)

// sayLoad takes the ways to write load that are none.
func sayLoad(p *slip) (answer, bool) {
	const accepted = `load("x.star", "name", mine = "other")`
	switch {
	case strings.Contains(p.message, "must import at least 1 symbol"):
		return answer{message: "load names what it brings", accepted: accepted, hint: "add the names, as texts"}, true
	case strings.Contains(p.message, "load statement must be a string literal"):
		return answer{message: "the module of a load is written out", accepted: accepted, hint: "what is loaded is known before anything is evaluated"}, true
	case strings.HasPrefix(p.message, "load operand"), strings.HasPrefix(p.message, "original name of loaded"):
		t := p.tok(0)
		for i := p.at; i >= 0 && t.kind != word; i-- {
			t = at(p.tokens, min(i, len(p.tokens)-1))
		}
		return answer{message: "what a load brings is named by a text", accepted: accepted, hint: fmt.Sprintf("write %q", t.text), found: t.text, at: spanOf(t)}, true
	}
	return answer{}, false
}

// sayComma takes commas that are missing, and two statements on a line.
func sayComma(p *slip) (answer, bool) {
	t, before, open := p.tok(0), p.tok(-1), p.around()
	starts := t.kind == word || t.kind == number || t.kind == text || t.kind == sign && opener(t.text)
	ended := before.kind == word || before.kind == number || before.kind == text || before.kind == sign && closer(before.text)
	switch {
	case p.ends || !starts || !ended:
		return answer{}, false
	case open.kind != none:
		a := answer{message: "a comma is missing here", found: before.short() + " " + t.short(), at: behind(before), related: []diag.Related{also(t, "the next one begins here")}}
		a.hint = "write a comma between two " + map[string]string{"(": "arguments", "[": "items", "{": "entries"}[open.text]
		if before.kind == text && t.kind == text {
			a.hint += "; texts are joined by +"
		}
		return a, true
	case p.wanted == "newline":
		return answer{message: "the statement ends before this", found: before.short() + " " + t.short(), hint: "begin another statement on a line of its own; a call has brackets: word(...)"}, true
	}
	return answer{}, false
}

// short is the token's text, cut where it is long.
func (t token) short() string {
	if r := []rune(t.text); len(r) > 30 {
		return string(r[:30]) + "..."
	}
	return t.text
}

// sayNumber takes what begins with a digit and is no number.
func sayNumber(p *slip) (answer, bool) {
	t, before := p.bad(), p.tok(-1)
	if t.kind != number && strings.Contains(p.message, "literal") {
		t = before // which the parser has read
	}
	switch {
	case strings.Contains(p.message, "octal literal"):
		if digits, old := strings.CutPrefix(t.text, "0"); old {
			return answer{message: "a number that begins with 0 is written in decimal nowhere", found: t.text, hint: fmt.Sprintf("write 0o%s for the octal number, as file modes are", strings.TrimPrefix(digits, "o")), at: spanOf(t)}, true
		}
	case t.kind != number:
		return answer{}, false
	case strings.Trim(t.text, "0123456789_") != "" && t == p.head():
		return answer{message: "a name begins with a letter or _", found: t.text, hint: fmt.Sprintf("write _%s, or another name", t.text), at: spanOf(t)}, true
	case strings.Trim(t.text, "0123456789") != "":
		return answer{message: "a number has no unit of its own", found: t.text, hint: fmt.Sprintf("sizes and durations are texts: %q", t.text), at: spanOf(t)}, true
	case strings.Contains(p.message, "invalid"), before.kind == number:
		return answer{message: "this is no number", found: t.text, hint: "write its digits together, without a 0 in front", at: spanOf(t)}, true
	}
	return answer{}, false
}

// sayValue takes places where a value is missing.
func sayValue(p *slip) (answer, bool) {
	if p.wanted != "primary expression" {
		return answer{}, false
	}
	t, before := p.tok(0), p.tok(-1)
	switch {
	case !p.ends && (t.text == "/" || t.text == "//") && p.tok(1).kind == word && p.tok(1).glued, t.text == "~":
		path, last := p.path()
		return answer{message: "a path is a text", found: path, hint: fmt.Sprintf("write it in quotes: %q", path), at: through(t, last)}, true
	case t.text == "," && (before.text == "," || before.kind == sign && opener(before.text)):
		return answer{message: "this comma has no value in front of it", found: before.text + t.text, hint: "remove it"}, true
	case t.kind == word && !p.ends:
		return answer{message: fmt.Sprintf("%s is a reserved word, and no value", t.text), found: t.text, hint: "choose another name"}, true
	case before.kind == none:
		return answer{message: fmt.Sprintf("no statement begins with %s", t.text), found: t.text}, true
	}
	a := answer{message: "a value is missing behind " + before.short(), found: plain(p.found), accepted: "a text, a number, a list, a name or a call", hint: "write it, or remove " + before.short()}
	if !p.ends {
		a.found, a.at = t.text, spanOf(t)
	}
	return a, true
}

// path joins the tokens from the fault on that nothing stands between, and gives the last of them.
func (p *slip) path() (string, token) {
	var b strings.Builder
	last := p.tok(0)
	for i := p.at; i < len(p.tokens); i++ {
		t := at(p.tokens, i)
		if i > p.at && (!t.glued || t.text == "," || t.kind == sign && closer(t.text)) {
			break
		}
		b.WriteString(t.text)
		last = t
	}
	return b.String(), last
}
