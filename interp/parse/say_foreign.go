package parse

import "strings"

// way is how something of another language is written here.
type way struct{ message, hint string }

// sayForeign takes what other languages have and this one has not.
func sayForeign(p *slip) (answer, bool) {
	t, before, head := p.bad(), p.tok(-1), p.head()
	if w, ok := statementsElsewhere()[head.text]; ok && head.kind == word && (p.found == head.text || before == head || p.tok(-2) == head) && p.tok(0).text != "=" {
		return answer{code: CodeDialect, message: w.message, hint: w.hint, found: head.text, at: spanOf(head)}, true
	}
	if w, ok := wordsElsewhere()[t.text]; ok && t.kind == word && !p.ends && (t.text != "return" || p.wanted == "primary expression") {
		return answer{code: CodeDialect, message: w.message, hint: w.hint, found: t.text}, true
	}
	for _, sign := range []token{t, before} {
		if w, ok := p.foreign(sign); ok {
			return answer{message: w.message, hint: w.hint, found: sign.text, at: spanOf(sign)}, true
		}
	}
	switch {
	case strings.Contains(p.message, "without else clause"):
		for _, other := range p.tokens {
			if other.text == "is" && other.kind == word {
				w := wordsElsewhere()["is"]
				return answer{code: CodeDialect, message: w.message, hint: w.hint, found: "is", at: spanOf(other)}, true
			}
		}
		return answer{message: "a choice between two values says both", accepted: "A if CONDITION else B", hint: "add else and the other value"}, true
	case strings.Contains(p.message, "does not associate"):
		return answer{message: "comparisons are not chained", hint: "write a < b and b < c"}, true
	case strings.Contains(p.message, "excessive nesting"):
		return answer{code: codeDeep, message: "this is nested too deeply to be read", hint: "give the inner parts names of their own"}, true
	case t.kind == text && before.kind == word && t.glued && strings.ContainsAny(before.text, "fFuU") && len(before.text) <= 2:
		return answer{code: CodeDialect, message: "the language has no texts with a prefix " + before.text, hint: `write fmt("--port={}", port)`, found: before.text + t.text, at: through(before, t)}, true
	case t.text == "{" && before.kind == word && p.around().kind == none, t.kind == text && before.kind == word && before == head && p.tok(1).text == "{":
		return answer{message: "braces make no block here", hint: before.text + "(name = ..., ...): a declaration is a call, its arguments have names and commas between them", found: t.text}, true
	}
	return answer{}, false
}

// statementsElsewhere are words that begin a statement in other languages.
func statementsElsewhere() map[string]way {
	function := way{"functions are defined by def", "write def name(x): and an indented body"}
	name := way{"a name is given without a word in front", "write name = value"}
	shell := way{"a recipe is no script of a shell", `service(name = "foo", command = ["/usr/bin/foo"]) declares what runs`}
	exceptions := way{"the language has no exceptions: a recipe describes, and nothing in it may go wrong", "ask first: d.get(key, default), key in d; fail(\"why\") ends the evaluation"}
	return map[string]way{
		"class":    {"the language has no classes", "a function that returns a dict, or a call of the word itself, does it"},
		"import":   {"there is no import", `load("lib/x.star", "name") brings names from another file`},
		"from":     {"there is no import", `load("lib/x.star", "name") brings names from another file`},
		"try":      exceptions,
		"except":   exceptions,
		"finally":  exceptions,
		"raise":    {"the language has no exceptions", `fail("why") ends the evaluation with a message`},
		"with":     {"there is no with: a recipe opens nothing", "files are named by file, config and template"},
		"assert":   {"there is no assert", `if not x: fail("why")`},
		"del":      {"there is no del", "d.pop(key) takes an entry out of a dict, l.pop(i) one out of a list"},
		"global":   {"names of the top level are never given anew, and need no word to be read", "return the value from the function"},
		"nonlocal": {"names of an outer function are never given anew, and need no word to be read", "return the value from the function"},
		"yield":    {"the language has no generators", "return a list, or a comprehension: [f(x) for x in list]"},
		"async":    {"nothing runs at the same time in a recipe", "write def alone"},
		"await":    {"nothing runs at the same time in a recipe", "write the call alone"},
		"print":    {"print is a function", "write print(...)"},
		"match":    {"there is no match", "write if, elif and else"},
		"switch":   {"there is no switch", "write if, elif and else"},
		"case":     {"there is no case", "write if, elif and else"},
		"let":      name,
		"const":    name,
		"var":      name,
		"local":    name,
		"function": function,
		"func":     function,
		"fn":       function,
		"export":   {"a recipe has no environment of its own", `service(..., env = {"PORT": "80"}) gives variables to a daemon; a module exports every name without an underscore in front`},
		"exec":     shell,
		"echo":     shell,
		"sudo":     shell,
		"cd":       shell,
	}
}

// wordsElsewhere are words that other languages have within a line.
func wordsElsewhere() map[string]way {
	return map[string]way{
		"is":     {"there is no is: values have no identity", "write == or !=; x != None asks whether there is a value"},
		"as":     {"there is no as", `load("x.star", mine = "name") gives a name of your own`},
		"return": {"a lambda is one expression", "write lambda x: VALUE, or def for more"},
	}
}

// foreignSign is a sign of other languages; when tells whether it can be meant, where this language has it too.
type foreignSign struct {
	text, message, hint string
	when                func(*slip) bool
}

// foreign finds what a sign is elsewhere.
func (p *slip) foreign(t token) (foreignSign, bool) {
	for _, s := range signsElsewhere() {
		if t.kind == sign && t.text == s.text && (s.when == nil || s.when(p)) {
			return s, true
		}
	}
	return foreignSign{}, false
}

func signsElsewhere() []foreignSign {
	first := func(p *slip) bool { return p.bad() == p.head() }
	value := func(p *slip) bool { return p.wanted == "primary expression" && !p.ends }
	operator := func(p *slip) bool { return p.wanted != "primary expression" }
	return []foreignSign{
		{"&&", "&& is no operator", "write and", nil},
		{"||", "|| is no operator", "write or", nil},
		{"<>", "<> is no operator", "write !=", nil},
		{"===", "=== is no operator", "write ==", nil},
		{"++", "++ is no operator", "write n += 1, in a function", nil},
		{"--", "-- is no operator", "write n -= 1, in a function", func(p *slip) bool { return p.ends }},
		{"=>", "=> makes no function", "write lambda x: VALUE", nil},
		{"->", "a function says nothing of its types", "leave the annotation out", nil},
		{":=", "a name is given in a statement of its own", "write it on the line before: name = value", nil},
		{"**", "** is no operator", `write the number out; a size is a text with a unit, as in "1MiB"`, operator},
		{"**", "a dict is not spread into another by **", "join dicts by |: a | {\"key\": value}", value},
		{"*", "a list is not spread into another by *", `join lists by +: ["/usr/bin/foo"] + arguments`, value},
		{"//", "a comment begins with #", "write # for //", first},
		{"/*", "a comment begins with #", "write # in front of every line", first},
	}
}
