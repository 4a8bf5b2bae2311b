package interp

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan/lint"
)

// fix turns a mend of a text into one of the source, where the text is written out as a literal of its own. A handle is
// called by the name that the recipe gave it; without a name there is no fix.
func (e *evaluation) fix(call *builtins.Call, part builtins.Part, m *lint.Mend) *diag.Fix {
	literal, list := e.literal(call, part)
	if literal == nil || literal.TokenPos.Filename() != e.name {
		return nil
	}
	if m.Drop {
		return drop(list, literal)
	}
	name := e.nameOf(m.Handle, literal)
	switch {
	case name == "":
		return nil
	case m.Before+m.After == "":
		return &diag.Fix{At: span(literal), New: name}
	}
	braces := strings.NewReplacer("{", "{{", "}", "}}")
	format := starlark.String(braces.Replace(m.Before) + "{}" + braces.Replace(m.After))
	return &diag.Fix{At: span(literal), New: fmt.Sprintf("fmt(%s, %s)", format, name)}
}

// replaced is the fix that writes something else for an argument, or for the item of one, that is a literal of the recipe.
func (e *evaluation) replaced(call *builtins.Call, part builtins.Part, with string) *diag.Fix {
	literal, _ := e.literal(call, part)
	if literal == nil || literal.TokenPos.Filename() != e.name {
		return nil
	}
	return &diag.Fix{At: span(literal), New: with}
}

// literal finds the text that an argument, or the item of one, is written as, and the list that it stands in.
func (e *evaluation) literal(c *builtins.Call, part builtins.Part) (*syntax.Literal, *syntax.ListExpr) {
	src := e.sources[c.Site.Pos.Filename()]
	if src == nil || c.Site.Indirect {
		return nil, nil
	}
	call, ok := src.at(c.Site.Pos).(*syntax.CallExpr)
	if !ok {
		return nil, nil
	}
	_, value := argument(c, call, part)
	if value == nil {
		return nil, nil
	}
	literal, _ := item(value, part).(*syntax.Literal)
	list, _ := value.(*syntax.ListExpr)
	return literal, list
}

// drop takes an element out of a list, with the comma behind it or, of the last one, before it.
func drop(list *syntax.ListExpr, element *syntax.Literal) *diag.Fix {
	if list == nil {
		return nil
	}
	for i, x := range list.List {
		switch {
		case x != syntax.Expr(element):
		case i+1 < len(list.List):
			return &diag.Fix{At: between(syntax.Start(x), syntax.Start(list.List[i+1]))}
		case i > 0:
			return &diag.Fix{At: between(syntax.End(list.List[i-1]), syntax.End(x))}
		}
	}
	return nil
}

// nameOf gives the global that is the handle of a path, if it was given its name before the place of use.
func (e *evaluation) nameOf(path string, use *syntax.Literal) string {
	for _, s := range e.sources[e.name].file.Stmts {
		assign, ok := s.(*syntax.AssignStmt)
		if !ok || syntax.Start(s).Line >= use.TokenPos.Line {
			continue
		}
		if id, ok := assign.LHS.(*syntax.Ident); ok && assign.Op == syntax.EQ {
			if h, ok := e.globals[id.Name].(*builtins.Handle); ok && h.Path() == path {
				return id.Name
			}
		}
	}
	return ""
}
