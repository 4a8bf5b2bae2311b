package expr

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"path/filepath"
	"strconv"
	"strings"
)

// Value is what an expression comes to. Int holds numbers and, as 0 or 1, truth; Text holds texts, paths and, with
// commas between their elements, lists.
type Value struct {
	Kind Kind   `json:"kind"`
	Int  int64  `json:"int,omitempty"`
	Text string `json:"text,omitempty"`
}

// String is the value as a daemon reads it in its arguments: sizes as a number of bytes, durations as FormatDuration
// writes them, truth as true or false.
func (v Value) String() string {
	switch v.Kind {
	case Int, Size:
		return strconv.FormatInt(v.Int, 10)
	case Duration:
		return FormatDuration(v.Int)
	case Bool:
		return strconv.FormatBool(v.Int != 0)
	}
	return v.Text
}

// Facts are what expressions may ask of a host.
type Facts struct {
	CPUs   int64  // that this process may use
	Memory int64  // bytes
	Name   string // of the node
	Arch   string // as uname -m says it
}

// Env is what an evaluation depends on. Root goes in front of every path; empty or "/" adds nothing. Flags holds the
// value of every flag that the expression names; paths in it carry the root already.
type Env struct {
	Root  string
	Flags map[string]Value
	Facts Facts
}

// Rooted puts the root in front of an absolute path.
func (env *Env) Rooted(path string) string {
	if env.Root == "" || env.Root == "/" {
		return path
	}
	return filepath.Join(env.Root, path)
}

var (
	errOverflow = errors.New("the result does not fit in 64 bits")
	errZero     = errors.New("division by zero")
)

// Eval computes e. It reads nothing but env, and may run concurrently.
func (e Expr) Eval(env *Env) (Value, error) {
	switch e.Op {
	case OpInt:
		return Value{Kind: Int, Int: e.Int}, nil
	case OpBool:
		return Value{Kind: Bool, Int: e.Int}, nil
	case OpText:
		return Value{Kind: Text, Text: e.Text}, nil
	case OpPath:
		return Value{Kind: Path, Text: env.Rooted(e.Text)}, nil
	case OpSize:
		return Value{Kind: Size, Int: e.Int}, nil
	case OpDuration:
		return Value{Kind: Duration, Int: e.Int}, nil
	case OpFlag:
		if v, ok := env.Flags[e.Text]; ok {
			return v, nil
		}
		return Value{}, fmt.Errorf("the flag %q has no value", e.Text)
	case OpHost:
		return env.Facts.value(e.Text)
	case OpAnd, OpOr, OpCond, OpSelect:
		return e.choose(env)
	}
	args := make([]Value, len(e.Args))
	for i, a := range e.Args {
		v, err := a.Eval(env)
		if err != nil {
			return Value{}, err
		}
		args[i] = v
	}
	switch e.Op {
	case OpFmt:
		return format(args)
	case OpList:
		return Value{Kind: List, Text: JoinElements(textsOf(args))}, nil
	case OpJoin:
		return Value{Kind: Text, Text: strings.Join(args[0].Elements(), args[1].Text)}, nil
	}
	return e.Op.arithmetic(args)
}

func (f Facts) value(name string) (Value, error) {
	switch name {
	case "cpus":
		return Value{Kind: Int, Int: f.CPUs}, nil
	case "memory":
		return Value{Kind: Size, Int: f.Memory}, nil
	case "name":
		return Value{Kind: Text, Text: f.Name}, nil
	case "arch":
		return Value{Kind: Text, Text: f.Arch}, nil
	}
	return Value{}, fmt.Errorf("the host has no fact %q", name)
}

func format(args []Value) (Value, error) {
	parts, err := SplitFormat(args[0].Text)
	if err != nil {
		return Value{}, err
	}
	if len(parts) != len(args) {
		return Value{}, fmt.Errorf("the format has %d {} but there are %d values", len(parts)-1, len(args)-1)
	}
	var b strings.Builder
	b.WriteString(parts[0])
	for i, part := range parts[1:] {
		b.WriteString(args[i+1].String())
		b.WriteString(part)
	}
	return Value{Kind: Text, Text: b.String()}, nil
}

func (op Op) arithmetic(args []Value) (Value, error) {
	kinds := make([]Kind, len(args))
	for i, v := range args {
		kinds[i] = v.Kind
	}
	kind, err := op.kind(Expr{}, kinds)
	if err != nil {
		return Value{}, err
	}
	n := args[0].Int
	switch op {
	case OpMin:
		for _, v := range args[1:] {
			n = min(n, v.Int)
		}
	case OpMax:
		for _, v := range args[1:] {
			n = max(n, v.Int)
		}
	case OpClamp:
		if args[1].Int > args[2].Int {
			return Value{}, fmt.Errorf("clamp's low bound %d is above its high bound %d", args[1].Int, args[2].Int)
		}
		n = min(max(n, args[1].Int), args[2].Int)
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		return truth(compare(op, args[0], args[1])), nil
	case OpNot:
		return truth(n == 0), nil
	default:
		n, err = binary(op, args[0].Int, args[1].Int)
	}
	return Value{Kind: kind, Int: n}, err
}

// binary is checked 64-bit arithmetic.
func binary(op Op, a, b int64) (int64, error) {
	switch op {
	case OpAdd:
		if sum := a + b; (sum > a) == (b > 0) {
			return sum, nil
		}
		return 0, errOverflow
	case OpSub:
		if diff := a - b; (diff < a) == (b > 0) {
			return diff, nil
		}
		return 0, errOverflow
	case OpMul:
		return multiply(a, b)
	case OpDiv, OpMod:
		if b == 0 {
			return 0, errZero
		}
		if a == math.MinInt64 && b == -1 {
			if op == OpMod {
				return 0, nil
			}
			return 0, errOverflow
		}
		q, r := a/b, a%b
		if r != 0 && (r < 0) != (b < 0) {
			q, r = q-1, r+b
		}
		if op == OpDiv {
			return q, nil
		}
		return r, nil
	}
	return 0, fmt.Errorf("no such operator: %q", op)
}

func multiply(a, b int64) (int64, error) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	limit := uint64(math.MaxInt64)
	if (a < 0) != (b < 0) {
		limit++
	}
	if hi != 0 || lo > limit {
		return 0, errOverflow
	}
	return a * b, nil
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}
