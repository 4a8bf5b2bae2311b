package expr

import (
	"errors"
	"fmt"
	"slices"
)

// maxDepth bounds the nesting of an expression, so that a plan's JSON cannot exhaust the stack.
const maxDepth = 200

// Kind checks e and returns its kind. flag gives the kind of a flag, and false for one that is not declared. The error
// says what is wrong in an author's words.
func (e Expr) Kind(flag func(name string) (Kind, bool)) (Kind, error) {
	return e.kind(flag, 0)
}

func (e Expr) kind(flag func(name string) (Kind, bool), depth int) (Kind, error) {
	if depth > maxDepth {
		return "", fmt.Errorf("an expression is nested more than %d deep", maxDepth)
	}
	switch e.Op {
	case OpInt:
		return Int, nil
	case OpBool:
		return Bool, nil
	case OpText:
		return Text, nil
	case OpPath:
		return Path, nil
	case OpSize:
		return Size, nil
	case OpDuration:
		return Duration, nil
	case OpFlag:
		if k, ok := flag(e.Text); ok {
			return k, nil
		}
		return "", fmt.Errorf("the flag %q is not declared", e.Text)
	case OpHost:
		if k, ok := FactKinds()[e.Text]; ok {
			return k, nil
		}
		return "", fmt.Errorf("the host has no fact %q: it has cpus, memory, name and arch", e.Text)
	}
	kinds := make([]Kind, len(e.Args))
	for i, a := range e.Args {
		k, err := a.kind(flag, depth+1)
		if err != nil {
			return "", err
		}
		kinds[i] = k
	}
	return e.Op.kind(e, kinds)
}

// kind is the typing rule of each operator over the kinds of its arguments.
func (op Op) kind(e Expr, kinds []Kind) (Kind, error) {
	switch op {
	case OpEq, OpNe, OpAnd, OpOr, OpNot, OpCond:
		return op.truthKind(kinds)
	case OpSelect:
		return selectKind(e, kinds)
	case OpList:
		return List, listed(e)
	case OpJoin:
		return Text, joined(e, kinds)
	case OpFmt:
		if slices.Contains(kinds, List) {
			return "", errors.New(`a list has no text of its own: write join(LIST, ",")`)
		}
	}
	for _, k := range kinds {
		if op != OpFmt && !k.Numeric() {
			return "", fmt.Errorf("%s works on numbers, not on a %s", op, k)
		}
	}
	count := func(n int) error { return op.takes(n, len(kinds)) }
	switch op {
	case OpLt, OpLe, OpGt, OpGe:
		if err := count(2); err != nil {
			return "", err
		}
		_, err := same(op, kinds)
		return Bool, err
	case OpAdd, OpSub, OpMod:
		if err := count(2); err != nil {
			return "", err
		}
		return same(op, kinds)
	case OpMul:
		if err := count(2); err != nil {
			return "", err
		}
		if kinds[0] != Int && kinds[1] != Int {
			return "", fmt.Errorf("mul of a %s and a %s has no meaning: one of them must be an int", kinds[0], kinds[1])
		}
		if kinds[0] == Int {
			return kinds[1], nil
		}
		return kinds[0], nil
	case OpDiv:
		if err := count(2); err != nil {
			return "", err
		}
		switch {
		case kinds[1] == Int:
			return kinds[0], nil
		case kinds[0] == kinds[1]:
			return Int, nil
		}
		return "", fmt.Errorf("div of a %s by a %s has no meaning", kinds[0], kinds[1])
	case OpClamp:
		if err := count(3); err != nil {
			return "", err
		}
		return same(op, kinds)
	case OpMin, OpMax:
		if len(kinds) == 0 {
			return "", fmt.Errorf("%s takes at least one value", op)
		}
		return same(op, kinds)
	case OpFmt:
		if len(e.Args) == 0 || e.Args[0].Op != OpText {
			return "", fmt.Errorf("fmt takes a format and a value for each {} in it")
		}
		parts, err := SplitFormat(e.Args[0].Text)
		if err != nil {
			return "", err
		}
		if len(parts) != len(e.Args) {
			return "", fmt.Errorf("the format has %d {} but there are %d values", len(parts)-1, len(e.Args)-1)
		}
		return Text, nil
	}
	return "", fmt.Errorf("no such operator: %q", op)
}

func (op Op) takes(want, got int) error {
	if want != got {
		return fmt.Errorf("%s takes %d values, not %d", op, want, got)
	}
	return nil
}

// same requires one kind of all arguments. Adding bytes to milliseconds, or a bare number to either, is a mistake.
func same(op Op, kinds []Kind) (Kind, error) {
	for _, k := range kinds[1:] {
		if k != kinds[0] {
			return "", fmt.Errorf("%s of a %s and a %s has no meaning: give both the same unit", op, kinds[0], k)
		}
	}
	return kinds[0], nil
}
