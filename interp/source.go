package interp

import (
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
)

// source is one module: its text, and its tree once it was parsed. What finds places in it is made when the first
// diagnostic asks.
type source struct {
	name         string // that diagnostics show, and that positions carry
	key          string // of the file whose loads it is given, once it runs
	text         string
	file         *syntax.File
	lines        []string
	nodes        map[place]syntax.Node
	undefined    map[string]bool // names that it uses and nobody gives
	script       bool            // run for what it does, a test file
	counted      bool            // its lines are
	lost         map[string]bool // names that it may give in a statement that cannot be read
	shown, shows bool            // of a session: the value of its last statement is wanted, and is there
}

type place struct{ line, column int32 }

func placeOf(pos syntax.Position) place { return place{pos.Line, pos.Col} }

// line returns a line by its number, without its end; nothing for one that is too long to be shown.
func (s *source) line(number int) string {
	if s.lines == nil {
		s.lines = strings.Split(s.text, "\n")
	}
	if number < 1 || number > len(s.lines) || len(s.lines[number-1]) > mostLine {
		return ""
	}
	return strings.TrimSuffix(strings.ToValidUTF8(s.lines[number-1], string(utf8.RuneError)), "\r")
}

// character is the span of the character at an offset.
func (s *source) character(offset int) diag.Span { return s.stretch(offset, 1) }

// stretch is the span of some characters of one line, from an offset.
func (s *source) stretch(offset, characters int) diag.Span {
	line := 1 + strings.Count(s.text[:offset], "\n")
	column := 1 + utf8.RuneCountInString(s.text[strings.LastIndexByte(s.text[:offset], '\n')+1:offset])
	return diag.Span{File: s.name, Line: line, Column: column, EndLine: line, EndColumn: column + max(characters, 1)}
}

// at finds the node that runs at a position: Starlark gives a call's opening parenthesis, an operator, a dot or an
// opening bracket.
func (s *source) at(pos syntax.Position) syntax.Node {
	if s.nodes == nil {
		s.nodes = map[place]syntax.Node{}
		if s.file != nil {
			syntax.Walk(s.file, s.index)
		}
	}
	return s.nodes[placeOf(pos)]
}

func (s *source) index(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.CallExpr:
		s.nodes[placeOf(n.Lparen)] = n
	case *syntax.BinaryExpr:
		s.nodes[placeOf(n.OpPos)] = n
	case *syntax.UnaryExpr:
		s.nodes[placeOf(n.OpPos)] = n
	case *syntax.DotExpr:
		s.nodes[placeOf(n.Dot)] = n
	case *syntax.IndexExpr:
		s.nodes[placeOf(n.Lbrack)] = n
	case *syntax.SliceExpr:
		s.nodes[placeOf(n.Lbrack)] = n
	case *syntax.Ident:
		if _, taken := s.nodes[placeOf(n.NamePos)]; !taken && !builtins.IsGuard(n.Name) {
			s.nodes[placeOf(n.NamePos)] = n
		}
	}
	return true
}

// span is that of a node. The syntax package leaves the closing bracket out of some.
func span(n syntax.Node) diag.Span {
	start, end := n.Span()
	switch n.(type) {
	case *syntax.IndexExpr, *syntax.SliceExpr:
		end.Col++
	case *syntax.TupleExpr:
		if n.(*syntax.TupleExpr).Lparen.IsValid() {
			end.Col++
		}
	}
	return between(start, end)
}

func between(start, end syntax.Position) diag.Span {
	return diag.Span{File: start.Filename(), Line: int(start.Line), Column: int(start.Col), EndLine: int(end.Line), EndColumn: int(end.Col)}
}

// point is the span of one character.
func point(pos syntax.Position) diag.Span {
	return diag.Span{File: pos.Filename(), Line: int(pos.Line), Column: int(pos.Col), EndLine: int(pos.Line), EndColumn: int(pos.Col) + 1}
}
