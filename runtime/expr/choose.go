package expr

import "fmt"

// truthKind is the typing rule of equality, of what joins truths, and of cond.
func (op Op) truthKind(kinds []Kind) (Kind, error) {
	count, truths := 2, 2
	switch op {
	case OpEq, OpNe:
		truths = 0
	case OpNot:
		count, truths = 1, 1
	case OpCond:
		count, truths = 3, 1
	}
	if err := op.takes(count, len(kinds)); err != nil {
		return "", err
	}
	for _, k := range kinds[:truths] {
		if k != Bool {
			return "", fmt.Errorf("%s decides by a bool, not by a %s", op, k)
		}
	}
	if truths == count {
		return Bool, nil
	}
	kind, err := scalar(op, kinds[truths:])
	if op != OpCond {
		kind = Bool
	}
	return kind, err
}

// scalar requires one kind of all values, of which each is one thing.
func scalar(op Op, kinds []Kind) (Kind, error) {
	for _, k := range kinds {
		if !k.Scalar() {
			return "", fmt.Errorf("%s does not work on a %s", op, k)
		}
	}
	return same(op, kinds)
}

// selectKind is the typing rule of select: literals of the value's kind, no two alike, and results of one kind.
func selectKind(e Expr, kinds []Kind) (Kind, error) {
	if len(kinds) < 3 {
		return "", fmt.Errorf("select takes a value, and a choice with its result")
	}
	of := kinds[0]
	if of != Text && of != Int && of != Bool {
		return "", fmt.Errorf("select chooses by a text, an int or a bool, not by a %s", of)
	}
	var results []Kind
	seen := map[Value]bool{}
	for i := 1; i < len(kinds); i += 2 {
		if i == len(kinds)-1 {
			results = append(results, kinds[i])
			break
		}
		choice := e.Args[i]
		if kinds[i] != of || len(choice.Args) > 0 || !choice.Constant() {
			return "", fmt.Errorf("select chooses by a %s, so that each choice is a literal %s", of, of)
		}
		v := choice.literal()
		if seen[v] {
			return "", fmt.Errorf("select has the choice %q twice", v)
		}
		seen[v] = true
		results = append(results, kinds[i+1])
	}
	return scalar(OpSelect, results)
}

// literal is the value of a literal text, int or bool.
func (e Expr) literal() Value {
	v, _ := e.Eval(&Env{})
	return v
}

// choose computes and, or, cond and select: the first argument, then the one that it chooses.
func (e Expr) choose(env *Env) (Value, error) {
	least := 3
	if e.Op == OpAnd || e.Op == OpOr {
		least = 2
	}
	if len(e.Args) < least {
		return Value{}, e.Op.takes(least, len(e.Args))
	}
	first, err := e.Args[0].Eval(env)
	if err != nil {
		return Value{}, err
	}
	switch e.Op {
	case OpAnd, OpOr:
		if (first.Int != 0) == (e.Op == OpOr) {
			return first, nil
		}
		return e.Args[1].Eval(env)
	case OpCond:
		if first.Int != 0 {
			return e.Args[1].Eval(env)
		}
		return e.Args[2].Eval(env)
	}
	rest := e.Args[1:]
	for ; len(rest) > 1; rest = rest[2:] {
		if rest[0].literal() == first {
			return rest[1].Eval(env)
		}
	}
	if len(rest) == 1 {
		return rest[0].Eval(env)
	}
	return Value{}, fmt.Errorf(`select has no result for "%s"`, first)
}

func truth(t bool) Value {
	if t {
		return Value{Kind: Bool, Int: 1}
	}
	return Value{Kind: Bool}
}

// compare tells about two values of one kind.
func compare(op Op, a, b Value) bool {
	switch op {
	case OpEq:
		return a == b
	case OpNe:
		return a != b
	case OpLt:
		return a.Int < b.Int
	case OpLe:
		return a.Int <= b.Int
	case OpGt:
		return a.Int > b.Int
	}
	return a.Int >= b.Int
}
