package interp

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
)

// misbinding is what an author is told of a message of the resolver that has this form.
type misbinding struct {
	form          *regexp.Regexp
	code          string
	message, hint string // $1 and so on stand for what the form has in parentheses
}

func misbindings() []misbinding {
	of := func(form, code, message, hint string) misbinding {
		return misbinding{regexp.MustCompile("^" + form), code, message, hint}
	}
	return []misbinding{
		of(`can't assign to`, CodeSyntax, "this cannot be assigned to", "a name stands to the left of =; == compares"),
		of(`can't use (\w+) expression in augmented assignment`, CodeSyntax, "several names cannot be changed at once", "write a statement for each of them"),
		of(`.*while loops?`, CodeDialect, "the language has no while loops, so that every evaluation ends", "write for i in range(...)"),
		of(`cannot reassign (?:global|local|top-level) (\S+)`, CodeReassigned, "the name $1 is given once, and has been", "choose another name, or work in a function"),
		of(`load: names with leading underscores are not exported: (\S+)`, CodeNotExported, "the module keeps $1 to itself: its name begins with _", "rename it in the module, without the underscore"),
		of(`load: empty identifier`, CodeSyntax, "a name is missing", `load("x.star", "name")`),
		of(`load statement within a`, CodeSyntax, "load stands at the top level alone: what is loaded is known before anything is evaluated", "move it to the head of the file"),
		of(`(break|continue) not in a loop`, CodeSyntax, "$1 stands in no loop", "it belongs into the body of a for"),
		of(`return statement not within a function`, CodeSyntax, "return stands in no function", "a recipe returns nothing: it declares, and ends with its last line"),
		of(`duplicate parameter: (\S+)`, CodeRepeated, "two parameters are called $1", "give each a name of its own"),
		of(`keyword argument "(.*)" is repeated`, CodeRepeated, "the argument $1 is given twice", "leave one of them out"),
		of(`positional argument may not follow named`, CodeSyntax, "an argument without a name stands behind one with a name", "give it by its name as well, or put it first"),
		of(`positional argument may not follow \*+`, CodeSyntax, "an argument without a name stands behind a star", "put it first"),
		of(`keyword argument may not follow`, CodeSyntax, "an argument with a name stands behind a star", "put it in front"),
		of(`required parameter may not follow optional`, CodeSyntax, "a parameter without a default stands behind one with a default", "give it a default as well, or put it first"),
		of(`(\d+) (?:positional|keyword) arguments in call, limit is (\d+)`, CodeTooLarge, "a call takes at most $2 arguments, and this has $1", "put them into a list or a dict"),
		of(`(?:multiple \*+\w*|\*args may not follow|bare \*|\* parameter|optional parameter|required parameter|multiple \*)`, CodeSyntax, "the stars do not stand in their order", "the order is: names, names with defaults, *list, **dict"),
	}
}

// resolveError translates what the resolver says.
func (e *evaluation) resolveError(src *source, err resolve.Error, forms []misbinding) {
	d := diag.Diagnostic{Severity: diag.Error, Code: CodeSyntax, At: point(err.Pos), Message: err.Msg}
	if n, ok := src.at(err.Pos).(*syntax.Ident); ok {
		d.At = span(n)
		d.Word = n.Name
	}
	for _, b := range forms {
		m := b.form.FindStringSubmatchIndex(err.Msg)
		if m == nil {
			continue
		}
		d.Code, d.Message, d.Hint = b.code, string(b.form.ExpandString(nil, b.message, err.Msg, m)), b.hint
		break
	}
	switch {
	case strings.HasPrefix(err.Msg, "can't assign"):
		src.target(err.Pos, &d)
	case d.Code == CodeReassigned:
		d.Related = src.given(err, d.Word)
	case d.Code == CodeRepeated:
		d.Related = src.repeated(err.Pos)
	case strings.Contains(err.Msg, "argument may not follow"):
		src.argumentAt(err.Pos, &d)
	}
	e.add(d)
}

// target makes d point to all of what cannot be assigned to.
func (s *source) target(pos syntax.Position, d *diag.Diagnostic) {
	syntax.Walk(s.file, func(n syntax.Node) bool {
		a, ok := n.(*syntax.AssignStmt)
		if !ok || syntax.Start(a.LHS) != pos {
			return true
		}
		d.Word, d.At = "", span(a.LHS)
		left, _ := a.LHS.(*syntax.BinaryExpr)
		if left == nil || left.Op != syntax.MINUS {
			return false
		}
		x, named := left.X.(*syntax.Ident)
		if y, also := left.Y.(*syntax.Ident); named && also {
			d.Message, d.Hint = "a name holds no -", fmt.Sprintf("write %s_%s", x.Name, y.Name)
		}
		return false
	})
}

var declaredForm = pattern(`declared at .*?:(\d+):(\d+)$`)

// given is where a name was given first: where the resolver says, or else the load that brought it.
func (s *source) given(err resolve.Error, name string) []diag.Related {
	const label = "given here"
	if m := declaredForm().FindStringSubmatch(err.Msg); m != nil {
		line, _ := strconv.Atoi(m[1])
		column, _ := strconv.Atoi(m[2])
		at := syntax.MakePosition(&s.name, int32(line), int32(column))
		if id, ok := s.at(at).(*syntax.Ident); ok {
			return []diag.Related{{At: span(id), Label: label}}
		}
		return []diag.Related{{At: point(at), Label: label}}
	}
	for _, stmt := range s.file.Stmts {
		load, ok := stmt.(*syntax.LoadStmt)
		if !ok {
			continue
		}
		for i, id := range load.To {
			if id.Name == name && load.From[i].NamePos != err.Pos && id.NamePos != err.Pos {
				return []diag.Related{{At: span(id), Label: label}}
			}
		}
	}
	return nil
}

// repeated is the first of the arguments or parameters that the one at a position repeats.
func (s *source) repeated(pos syntax.Position) []diag.Related {
	var related []diag.Related
	syntax.Walk(s.file, func(n syntax.Node) bool {
		var list []syntax.Expr
		switch n := n.(type) {
		case *syntax.CallExpr:
			list = n.Args
		case *syntax.DefStmt:
			list = n.Params
		case *syntax.LambdaExpr:
			list = n.Params
		}
		first := map[string]*syntax.Ident{}
		for _, a := range list {
			id := nameOf(a)
			if id == nil {
				continue
			}
			if before := first[id.Name]; before == nil {
				first[id.Name] = id
			} else if b, ok := a.(*syntax.BinaryExpr); id.NamePos == pos || ok && b.OpPos == pos {
				related = []diag.Related{{At: span(before), Label: "the first one"}}
			}
		}
		return related == nil
	})
	return related
}

// nameOf is the name of an argument or a parameter.
func nameOf(e syntax.Expr) *syntax.Ident {
	switch e := e.(type) {
	case *syntax.Ident:
		return e
	case *syntax.BinaryExpr:
		if id, ok := e.X.(*syntax.Ident); ok && e.Op == syntax.EQ {
			return id
		}
	}
	return nil
}

// argumentAt makes d point to all of the argument at a position, and to the one that it stands behind.
func (s *source) argumentAt(pos syntax.Position, d *diag.Diagnostic) {
	syntax.Walk(s.file, func(n syntax.Node) bool {
		c, ok := n.(*syntax.CallExpr)
		if !ok {
			return true
		}
		for i, a := range c.Args {
			if syntax.Start(a) == pos && i > 0 {
				d.At, d.Related = span(a), []diag.Related{{At: span(c.Args[i-1]), Label: "which stands in front"}}
			}
		}
		return true
	})
}

// compared reports whether a name is the left side of a comparison where an argument stands.
func (s *source) compared(id *syntax.Ident) bool {
	line := []rune(s.line(int(id.NamePos.Line)))
	start, end := int(id.NamePos.Col)-1, int(id.NamePos.Col)-1+len([]rune(id.Name))
	if start > len(line) || end > len(line) {
		return false
	}
	before := strings.TrimSpace(string(line[:start]))
	return strings.HasPrefix(strings.TrimSpace(string(line[end:])), "==") && (before == "" || strings.HasSuffix(before, "(") || strings.HasSuffix(before, ","))
}
