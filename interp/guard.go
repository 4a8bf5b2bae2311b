package interp

import (
	"go.starlark.net/syntax"

	"recipe/builtins"
)

// guarder rewrites a tree before it is resolved, so that conditions, comparisons, % and some methods pass through the guards
// of package builtins. What it inserts are calls of names that no recipe can spell; each has the position of the
// operator or keyword that it stands for, where Starlark's errors and the index of places find it.
type guarder struct{}

func (g guarder) stmts(list []syntax.Stmt) {
	for _, s := range list {
		g.stmt(s)
	}
}

func (g guarder) stmt(s syntax.Stmt) {
	switch s := s.(type) {
	case *syntax.ExprStmt:
		s.X = g.expr(s.X)
	case *syntax.AssignStmt:
		g.target(s.LHS)
		s.RHS = g.expr(s.RHS)
		g.augmented(s)
	case *syntax.DefStmt:
		g.parameters(s.Params)
		g.stmts(s.Body)
	case *syntax.IfStmt:
		s.Cond = g.condition(s.If, g.expr(s.Cond))
		g.stmts(s.True)
		g.stmts(s.False)
	case *syntax.ForStmt:
		s.X = g.expr(s.X)
		g.stmts(s.Body)
	case *syntax.WhileStmt:
		s.Cond = g.expr(s.Cond)
		g.stmts(s.Body)
	case *syntax.ReturnStmt:
		if s.Result != nil {
			s.Result = g.expr(s.Result)
		}
	}
}

// target guards what is evaluated to find the place that is assigned to.
func (g guarder) target(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.IndexExpr:
		e.X, e.Y = g.expr(e.X), g.expr(e.Y)
	case *syntax.DotExpr:
		e.X = g.expr(e.X)
	case *syntax.ParenExpr:
		g.target(e.X)
	case *syntax.TupleExpr:
		for _, x := range e.List {
			g.target(x)
		}
	case *syntax.ListExpr:
		for _, x := range e.List {
			g.target(x)
		}
	}
}

// augmented turns x %= y into x = x % y, so that the guard sees both, and *= likewise. Where x is more than a name,
// evaluating it twice would be wrong: there y alone is guarded, and must be known now.
func (g guarder) augmented(s *syntax.AssignStmt) {
	op := syntax.PERCENT
	if s.Op == syntax.STAR_EQ {
		op = syntax.STAR
	} else if s.Op != syntax.PERCENT_EQ {
		return
	}
	if x, ok := s.LHS.(*syntax.Ident); ok {
		s.Op = syntax.EQ
		s.RHS = guarded(op, s.OpPos, &syntax.Ident{NamePos: x.NamePos, Name: x.Name}, s.RHS)
		return
	}
	s.RHS = call(builtins.GuardInPlace, s.OpPos, end(s.RHS), s.RHS)
}

func (g guarder) parameters(list []syntax.Expr) {
	for _, p := range list {
		if b, ok := p.(*syntax.BinaryExpr); ok {
			b.Y = g.expr(b.Y)
		}
	}
}

func (g guarder) exprs(list []syntax.Expr) {
	for i := range list {
		list[i] = g.expr(list[i])
	}
}

func (g guarder) expr(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		e.X = g.expr(e.X)
	case *syntax.ListExpr:
		g.exprs(e.List)
	case *syntax.TupleExpr:
		g.exprs(e.List)
	case *syntax.DictExpr:
		g.exprs(e.List)
	case *syntax.DictEntry:
		e.Key, e.Value = g.expr(e.Key), g.expr(e.Value)
	case *syntax.CondExpr:
		e.Cond, e.True, e.False = g.condition(e.If, g.expr(e.Cond)), g.expr(e.True), g.expr(e.False)
	case *syntax.Comprehension:
		e.Body = g.expr(e.Body)
		g.clauses(e.Clauses)
	case *syntax.LambdaExpr:
		g.parameters(e.Params)
		e.Body = g.expr(e.Body)
	case *syntax.IndexExpr:
		e.X, e.Y = g.expr(e.X), g.expr(e.Y)
	case *syntax.SliceExpr:
		e.X = g.expr(e.X)
		for _, part := range []*syntax.Expr{&e.Lo, &e.Hi, &e.Step} {
			if *part != nil {
				*part = g.expr(*part)
			}
		}
	case *syntax.CallExpr:
		e.Fn = g.expr(e.Fn)
		g.arguments(e)
	case *syntax.DotExpr:
		e.X = g.expr(e.X)
		if name, ok := builtins.GuardAttribute(e.Name.Name); ok {
			return call(name, e.Dot, end(e), e.X)
		}
	case *syntax.UnaryExpr:
		return g.unary(e)
	case *syntax.BinaryExpr:
		return g.binary(e)
	}
	return e
}

func (g guarder) clauses(list []syntax.Node) {
	for _, c := range list {
		switch c := c.(type) {
		case *syntax.ForClause:
			c.X = g.expr(c.X)
		case *syntax.IfClause:
			c.Cond = g.condition(c.If, g.expr(c.Cond))
		}
	}
}

// arguments leaves the names of k = v alone, and the stars. What cond decides by is its first argument, named or not.
func (g guarder) arguments(e *syntax.CallExpr) {
	fn, ok := e.Fn.(*syntax.Ident)
	decides := ok && fn.Name == "cond"
	for i, a := range e.Args {
		switch a := a.(type) {
		case *syntax.BinaryExpr:
			if a.Op == syntax.EQ {
				if decides && a.X.(*syntax.Ident).Name == "test" {
					a.Y = g.truth(a.Y)
				} else {
					a.Y = g.expr(a.Y)
				}
				continue
			}
		case *syntax.UnaryExpr:
			if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
				a.X = g.expr(a.X)
				continue
			}
		}
		if decides && i == 0 {
			e.Args[i] = g.truth(a)
		} else {
			e.Args[i] = g.expr(a)
		}
	}
}

// truth guards what decides in a cond: comparisons, and what joins them, by guards that make expressions. The right side
// of and and or becomes a function, so that it is left alone where Starlark would not reach it.
func (g guarder) truth(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		e.X = g.truth(e.X)
		return e
	case *syntax.UnaryExpr:
		if e.Op == syntax.NOT {
			x := g.truth(e.X)
			return decided(e.Op, e.OpPos, end(x), x)
		}
	case *syntax.BinaryExpr:
		if _, ok := builtins.GuardCond(e.Op); ok {
			x, y := g.truth(e.X), g.truth(e.Y)
			last := end(y)
			if e.Op == syntax.AND || e.Op == syntax.OR {
				y = &syntax.LambdaExpr{Lambda: syntax.Start(y), Body: y}
			}
			return decided(e.Op, e.OpPos, last, x, y)
		}
	}
	return g.expr(e)
}

func decided(op syntax.Token, at, end syntax.Position, args ...syntax.Expr) syntax.Expr {
	name, _ := builtins.GuardCond(op)
	return call(name, at, end, args...)
}

func (g guarder) unary(e *syntax.UnaryExpr) syntax.Expr {
	if e.X == nil {
		return e
	}
	e.X = g.expr(e.X)
	if e.Op == syntax.NOT {
		e.X = guarded(syntax.NOT, e.OpPos, e.X)
	}
	return e
}

func (g guarder) binary(e *syntax.BinaryExpr) syntax.Expr {
	e.X, e.Y = g.expr(e.X), g.expr(e.Y)
	switch e.Op {
	case syntax.AND, syntax.OR: // the right side is a result, not a condition
		e.X = guarded(e.Op, e.OpPos, e.X)
	case syntax.EQ:
	default:
		if _, ok := builtins.Guard(e.Op); ok {
			return guarded(e.Op, e.OpPos, e.X, e.Y)
		}
	}
	return e
}

// condition guards what if decides by. A comparison of its own is guarded already, and never a host value.
func (g guarder) condition(at syntax.Position, cond syntax.Expr) syntax.Expr {
	return guarded(syntax.IF, at, cond)
}

func guarded(op syntax.Token, at syntax.Position, args ...syntax.Expr) syntax.Expr {
	name, _ := builtins.Guard(op)
	return call(name, at, end(args[len(args)-1]), args...)
}

// call spans what it stands for: from the start of its first argument to end.
func call(name string, at, end syntax.Position, args ...syntax.Expr) syntax.Expr {
	end.Col-- // Span adds a closing parenthesis
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: syntax.Start(args[0]), Name: name}, Lparen: at, Args: args, Rparen: end}
}

func end(n syntax.Node) syntax.Position { return syntax.End(n) }
