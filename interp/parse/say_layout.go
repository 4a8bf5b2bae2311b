package parse

import (
	"fmt"
	"strings"

	"recipe/builtins/diag"
)

// sayIndent takes lines that begin in the wrong column.
func sayIndent(p *slip) (answer, bool) {
	t := p.tok(0)
	switch {
	case strings.Contains(p.message, "unindent does not match"):
		return answer{message: "this line begins in the column of no block around it", hint: "the lines of one block begin in one column", at: spanOf(p.head())}, true
	case p.found == "indent":
		return answer{message: "this line is indented, and belongs to no block", hint: "only what follows a line that ends in a colon is indented"}, true
	case p.wanted == "indent":
		header := p.opening()
		a := answer{message: fmt.Sprintf("the block of this %s is empty", header.text), hint: "indent by four spaces what belongs to it; pass stands for nothing", at: spanOf(header)}
		if t.kind != none {
			a.related = []diag.Related{also(t, "this line is outside of it")}
		} else if p.next.kind != none {
			a.related = []diag.Related{also(p.next, "this line is outside of it")}
		}
		return a, true
	case t.text == "else" || t.text == "elif" || t.text == "except":
		return answer{message: fmt.Sprintf("there is no if that this %s belongs to", t.text), hint: "it stands in the column of its if"}, p.wanted == "primary expression"
	}
	return answer{}, false
}

// opening is the first token of the last line that ends in a colon, in front of the fault.
func (p *slip) opening() token {
	for i := p.at - 1; i >= 0; i-- {
		if at(p.tokens, i).text != ":" {
			continue
		}
		for j := i; j >= 0; j-- {
			if j == 0 || at(p.tokens, j-1).line < at(p.tokens, i).line {
				return at(p.tokens, j)
			}
		}
	}
	return p.head()
}

// sayBracket takes brackets that are not closed, and those that close nothing.
func sayBracket(p *slip) (answer, bool) {
	open, t := p.around(), p.tok(0)
	closes := !p.ends && t.kind == sign && closer(t.text)
	switch {
	case p.ends && open.kind != none:
		a := answer{message: fmt.Sprintf("this %s is not closed", open.text), hint: "close it with " + closing(open), at: spanOf(open)}
		if p.next.kind != none {
			a.related = []diag.Related{also(p.next, "the next statement begins here")}
		} else {
			a.related = []diag.Related{{At: behind(p.tok(-1)), Label: "the file ends here"}}
		}
		return a, true
	case closes && open.kind == none:
		a := answer{message: fmt.Sprintf("this %s closes nothing", t.text), hint: "remove it, or open it"}
		for i := p.at - 1; i >= 0; i-- {
			if before := at(p.tokens, i); before.text == t.text && before.kind == sign {
				a.related = []diag.Related{also(before, "closed here already")}
				break
			}
		}
		return a, true
	case closes && !pairs(open.text, t.text):
		a := answer{message: fmt.Sprintf("%s does not close %s", t.text, open.text), hint: fmt.Sprintf("close it with %s first, or remove the %s", closing(open), t.text),
			related: []diag.Related{also(open, "this is open")}}
		return a, true
	case p.found == "':'" && open.text == "(" && t.endLine != p.tok(1).line && p.tok(-1).kind != word:
		return answer{message: fmt.Sprintf("this %s is not closed before the colon", open.text), hint: "close it with " + closing(open), at: spanOf(open), related: []diag.Related{also(t, "the colon")}}, true
	case p.found == "'='" && open.text == "[" && p.tok(-1).kind == word:
		return answer{message: fmt.Sprintf("this %s is not closed before the next argument", open.text), hint: "close it with " + closing(open), at: spanOf(open),
			related: []diag.Related{also(p.tok(-1), "the next argument")}}, true
	}
	return answer{}, false
}

func closing(open token) string {
	switch open.text {
	case "(":
		return ")"
	case "[":
		return "]"
	}
	return "}"
}

// sayColon takes colons that are missing, and those that stand for an equals sign.
func sayColon(p *slip) (answer, bool) {
	t, before, head, open := p.tok(0), p.tok(-1), p.head(), p.around()
	switch {
	case len(p.tokens) > 1 && at(p.tokens, 0).text == "--" && at(p.tokens, 1).text == "-" && at(p.tokens, 0).column == 1,
		p.found == "':'" && p.wanted == "newline" && before == head && p.tok(2).text != "=":
		return answer{once: true, message: "a recipe is written in Starlark, not in YAML", hint: `service(name = "foo", command = ["/usr/bin/foo"])`, found: head.text + t.text}, true
	case p.found == "':'" && p.wanted == "newline":
		return answer{code: CodeDialect, message: "names have no types in front of their values", hint: "leave the annotation out: name = value", at: through(t, p.tok(1))}, true
	case p.found == "':'" && open.text == "(" && head.text == "def" && before.kind == word:
		return answer{code: CodeDialect, message: "a function says nothing of its types", hint: "leave the annotation out", at: through(t, p.tok(1))}, true
	case p.found == "':'" && (open.text == "(" || open.text == "[") && before.kind == word:
		return answer{message: "an argument is given by =, not by :", hint: fmt.Sprintf("write %s = ...", before.text), found: before.text + ":", at: through(before, t)}, true
	case p.wanted == "':'" && p.found == "if" && before.text == "else":
		return answer{message: "else and if are one word here", hint: "write elif", found: "else if", at: through(before, t)}, true
	case p.wanted == "':'" && p.ends && p.found == "newline":
		return answer{message: fmt.Sprintf("a colon is missing behind this %s", head.text), hint: "if, elif, else, for and def end in a colon"}, true
	case p.wanted == "':'" && open.text == "{" && (t.text == "," || t.text == "}"):
		return answer{message: "in braces, every key has a value", hint: `write {"key": value} for a dict, set(["a", "b"]) for a set`, found: t.text}, true
	}
	return answer{}, false
}

// sayEquals takes equals signs that compare, and those in a dict.
func sayEquals(p *slip) (answer, bool) {
	head, open, before := p.head(), p.around(), p.tok(-1)
	if p.found != "'='" {
		if strings.Contains(p.message, "must have form name=expr") {
			return p.argumentName(), true
		}
		return answer{}, false
	}
	switch {
	case open.text == "{":
		return answer{message: "a colon stands between a key and its value", hint: `write {"key": value}`, found: "="}, true
	case open.kind == none && (head.text == "if" || head.text == "elif" || head.text == "return"):
		return answer{message: "= gives a value to a name; it compares nothing", hint: "write ==", found: "="}, true
	case open.text == "(":
		return answer{message: "a name is given in a statement of its own", hint: fmt.Sprintf("write it on the line before: %s = ...", before.text), found: "="}, true
	}
	return answer{}, false
}

// argumentName is for what stands in front of = in a call and is no name.
func (p *slip) argumentName() answer {
	last := min(p.at, len(p.tokens)-1)
	for last > 0 && at(p.tokens, last).text != "=" {
		last--
	}
	first := last - 1
	for first > 0 && at(p.tokens, first).open == at(p.tokens, last).open && at(p.tokens, first-1).text != "," && at(p.tokens, first-1).text != "(" {
		first--
	}
	from, to := at(p.tokens, first), at(p.tokens, last-1)
	a := answer{message: "the name of an argument is a plain name", hint: "letters, digits and _, no digit first", at: through(from, to)}
	if to.line == from.line && from.kind == word && to.kind == word && last-first == 3 && at(p.tokens, first+1).text == "-" {
		a.found, a.hint = from.text+"-"+to.text, fmt.Sprintf("write %s_%s", from.text, to.text)
	}
	return a
}
