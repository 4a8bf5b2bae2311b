package format

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/syntax"
)

// same holds two trees to one meaning: the same nodes in the same order, whatever their places.
func same(a, b *syntax.File) error {
	one, other := summary(a), summary(b)
	for i := range min(len(one), len(other)) {
		if one[i] != other[i] {
			return fmt.Errorf("its meaning would change: %s would become %s", one[i], other[i])
		}
	}
	if len(one) != len(other) {
		return fmt.Errorf("its meaning would change: of %d parts %d would be left", len(one), len(other))
	}
	return nil
}

// summary is a tree as a list: each node's kind and what it says of itself, and an end for each. Parentheses around one
// value mean nothing by themselves; what they do to the order of operators shows in the tree.
func summary(f *syntax.File) []string {
	var list []string
	var open []bool // of each node on the way down, whether it is in the list
	syntax.Walk(f, func(n syntax.Node) bool {
		if n == nil {
			last := len(open) - 1
			if open[last] {
				list = append(list, "end")
			}
			open = open[:last]
			return true
		}
		_, parenthesis := n.(*syntax.ParenExpr)
		open = append(open, !parenthesis)
		if !parenthesis {
			list = append(list, kind(n)+detail(n))
		}
		return true
	})
	return list
}

// kind is what a node is, in words that a message can show.
func kind(n syntax.Node) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", n), "*syntax.")
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(name, "Expr"), "Stmt"))
}

func detail(n syntax.Node) string {
	switch n := n.(type) {
	case *syntax.Literal:
		return fmt.Sprintf(" %v %v", n.Token, n.Value)
	case *syntax.Ident:
		return " " + n.Name
	case *syntax.BinaryExpr:
		return " " + n.Op.String()
	case *syntax.UnaryExpr:
		return " " + n.Op.String()
	case *syntax.AssignStmt:
		return " " + n.Op.String()
	case *syntax.BranchStmt:
		return " " + n.Token.String()
	case *syntax.CallExpr:
		return fmt.Sprintf(" %d", len(n.Args))
	case *syntax.IfStmt:
		return fmt.Sprintf(" %d %d", len(n.True), len(n.False))
	case *syntax.ForStmt:
		return fmt.Sprintf(" %d", len(n.Body))
	case *syntax.DefStmt:
		return fmt.Sprintf(" %d", len(n.Params))
	case *syntax.LambdaExpr:
		return fmt.Sprintf(" %d", len(n.Params))
	case *syntax.SliceExpr:
		return fmt.Sprintf(" %t %t %t", n.Lo != nil, n.Hi != nil, n.Step != nil)
	case *syntax.Comprehension:
		return fmt.Sprintf(" %t %d", n.Curly, len(n.Clauses))
	}
	return ""
}

// comments are the texts of all comments of a source whose texts are masked, sorted: a layout may move one from the end
// of a line to a line of its own.
func comments(masked []byte) []string {
	var list []string
	for line := range bytes.Lines(masked) {
		if _, text, ok := bytes.Cut(line, []byte("#")); ok {
			list = append(list, string(bytes.TrimSpace(text)))
		}
	}
	slices.Sort(list)
	return list
}
