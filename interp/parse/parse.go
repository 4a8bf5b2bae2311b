// Package parse reads source text into a tree, and says what is wrong with text that cannot be read.
//
//	parse.go       a file as statements: what can be read of it when one of them cannot
//	token.go       the text as tokens, whatever stands in it
//	slip.go        one error of the parser, and the tokens around it
//	say_*.go       what an author is told: a rule for each slip that people make
//
// Rules:
//   - A statement that cannot be read hides no mistake in the next one: each is read by itself, and is left out of the
//     tree with the names that it mentions. The tree is given up where leaving it out could change what others mean.
//   - The parser's own words never reach an author: what is missing, where it was opened, and how it is written here do.
//   - Sound text costs nothing more than the parser.
//
// Tests: the golden mistakes of package interp, tables of tokens, and a fuzz target that wants a place for every error.
package parse

import (
	"errors"
	"strings"

	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
)

// The codes of what this package says.
const (
	CodeSyntax  = "syntax"
	CodeDialect = "not-in-the-language"
	codeDeep    = builtins.CodeTooLarge
)

// mostProblems bounds what one file says.
const mostProblems = 50

// Result is what could be read of a file.
type Result struct {
	File     *syntax.File    // nil when no statement may be run
	Problems diag.List       // without source lines
	Lost     map[string]bool // the names that statements which were left out mention
}

// File reads the text of a file in a mode of the parser; name is what positions carry. The text has no carriage return
// but before a newline.
func File(options *syntax.FileOptions, name, text string, mode syntax.Mode) Result {
	var r Result
	f, err := options.Parse(name, text, mode)
	if err == nil {
		r.File = f
		return r
	}
	tokens := scan(text)
	lines := strings.SplitAfter(text, "\n")
	sound, said := true, false
	for _, s := range statements(tokens, len(lines)) {
		part := strings.Join(lines[s.first-1:s.last], "")
		if _, err := options.Parse(name, part, 0); err != nil {
			if len(r.Problems) < mostProblems {
				d, once := explain(name, s, err)
				if !said || !once {
					r.Problems = append(r.Problems, d)
				}
				said = said || once
			}
			sound = sound && s.apart()
			r.lose(s)
			for i := s.first - 1; i < s.last; i++ {
				lines[i] = lineEnd(lines[i])
			}
		}
	}
	rest, again := options.Parse(name, strings.Join(lines, ""), mode)
	switch {
	case len(r.Problems) == 0: // the parts are sound, and the whole is not
		d, _ := explain(name, statement{tokens: tokens, first: 1, last: len(lines)}, err)
		r.Problems = diag.List{d}
	case again == nil && sound:
		r.File = rest
	}
	return r
}

func (r *Result) lose(s statement) {
	if r.Lost == nil {
		r.Lost = map[string]bool{}
	}
	for _, t := range s.tokens {
		if t.kind == word {
			r.Lost[t.text] = true
		}
	}
}

func lineEnd(line string) string {
	if strings.HasSuffix(line, "\n") {
		return "\n"
	}
	return ""
}

// message takes the parser's error apart: where it is, in lines from the statement's first, and what it says.
func message(err error) (line, column int, text string) {
	var e syntax.Error
	if !errors.As(err, &e) {
		return 1, 1, err.Error()
	}
	return int(e.Pos.Line), int(e.Pos.Col), e.Msg
}
