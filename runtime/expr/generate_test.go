package expr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

var (
	anyKinds = []Kind{Int, Int, Size, Duration, Text, Text, Path, Bool}
	edges    = []int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt64 - 1, -1, 0, 1, -2, 2, -7, 10,
		math.MinInt32, math.MaxInt32, 3037000499, 3037000500, -3037000500, 60_000, 3_600_000, -1000}
	lists   = []string{"", "a", "a,b", "it's,$x,*", "a b,\"q\",\\,é,-n"}
	between = []string{"", ",", " ", "\n", "'", "$x"}
	texts   = []string{"", "x", "it's", `"`, `\`, "$(touch x)", "`id`", "a b", "\n", "é", "*", "~", "{}", "-n", "!", "(", ")", "=", "-eq", "esac", "true", "a)", "[a-z]", "end\n", "\t", "${root}"}
)

// testKind declares flags i-1 to i-3 and so on for every kind.
func testKind(name string) (Kind, bool) {
	if name == "strange" {
		return "strange", true // a kind that no operator knows
	}
	if strings.HasPrefix(name, "list-") {
		return List, true
	}
	prefix, number, _ := strings.Cut(name, "-")
	for _, k := range anyKinds {
		if string(k)[:1] == prefix && (number == "1" || number == "2" || number == "3") {
			return k, true
		}
	}
	return "", false
}

type generator struct{ *rand.Rand }

func (g *generator) number() int64 {
	switch g.IntN(4) {
	case 0:
		return edges[g.IntN(len(edges))]
	case 1:
		return int64(g.Uint64())
	}
	return g.Int64N(2000) - 500
}

func (g *generator) text() string { return texts[g.IntN(len(texts))] }

func (g *generator) path() string {
	return []string{"/", "/etc", "/var/lib/it's", "/a b/$x", "/é"}[g.IntN(5)]
}

func (g *generator) env() *Env {
	env := &Env{Flags: map[string]Value{}, Facts: Facts{g.number(), g.number(), g.text(), g.text()}}
	env.Root = []string{"", "/", "/r", "/it's a $root"}[g.IntN(4)]
	for n := 1; n <= 3; n++ {
		env.Flags[fmt.Sprintf("list-%d", n)] = Value{Kind: List, Text: lists[g.IntN(len(lists))]}
	}
	for _, k := range anyKinds {
		for n := 1; n <= 3; n++ {
			v := Value{Kind: k}
			switch k {
			case Text:
				v.Text = g.text()
			case Path:
				v.Text = env.Rooted(g.path())
			case Bool:
				v.Int = g.Int64N(2)
			default:
				v.Int = g.number()
			}
			env.Flags[fmt.Sprintf("%s-%d", string(k)[:1], n)] = v
		}
	}
	return env
}

// assignments gives the script the part of env that e names.
func assignments(e Expr, env *Env) string {
	set := map[string]string{"root": strings.TrimSuffix(env.Root, "/")}
	e.Walk(func(n Expr) {
		switch v := env.Flags[n.Text]; n.Op {
		case OpFlag:
			set[ShellFlag(n.Text)] = v.String()
			if v.Kind == Duration {
				set[ShellFlag(n.Text)] = strconv.FormatInt(v.Int, 10)
			}
		case OpHost:
			v, _ := env.Facts.value(n.Text)
			set["host_"+n.Text] = v.String()
		}
	})
	var b strings.Builder
	for name, value := range set {
		fmt.Fprintf(&b, "%s=%s\n", name, QuoteShell(value))
	}
	return b.String()
}

// expression makes one of the kind, at most depth deep. Flags are the usual leaves: arithmetic on literals is folded.
func (g *generator) expression(k Kind, depth int) Expr {
	if depth == 0 || k == List || g.IntN(6) == 0 {
		return g.leaf(k)
	}
	if g.IntN(4) == 0 && (k != Bool || g.IntN(2) == 0) {
		return g.choice(k, depth)
	}
	switch {
	case k == Text && g.IntN(4) == 0:
		return Call(OpJoin, g.expression(List, depth-1), TextOf(between[g.IntN(len(between))]))
	case k == Text:
		return g.format(depth)
	case k == Bool:
		return g.truth(depth)
	case k.Numeric():
		return g.arithmetic(k, depth)
	}
	return g.leaf(k)
}

func (g *generator) kind() Kind { return anyKinds[g.IntN(len(anyKinds))] }

func (g *generator) format(depth int) Expr {
	format, args := "", []Expr{}
	for range g.IntN(4) {
		format += []string{"", "-", "a", "{{", "$", "'", "\n"}[g.IntN(7)] + "{}"
		args = append(args, g.expression(g.kind(), depth-1))
	}
	return Fmt(format+[]string{"", "z", "\n"}[g.IntN(3)], args...)
}

func (g *generator) truth(depth int) Expr {
	truth := func() Expr { return g.expression(Bool, depth-1) }
	switch op := []Op{OpAnd, OpOr, OpNot, OpAnd, OpOr, OpNot, OpEq, OpNe, OpLt, OpLe, OpGt, OpGe}[g.IntN(12)]; op {
	case OpAnd, OpOr:
		return Call(op, truth(), truth())
	case OpNot:
		return Call(op, truth())
	case OpEq, OpNe:
		k := g.kind()
		return Call(op, g.expression(k, depth-1), g.expression(k, depth-1))
	default:
		k := []Kind{Int, Size, Duration}[g.IntN(3)]
		return Call(op, g.expression(k, depth-1), g.expression(k, depth-1))
	}
}

// choice is cond or select. One in three of the latter has no result for what none of its choices equals.
func (g *generator) choice(k Kind, depth int) Expr {
	if g.IntN(2) == 0 {
		return Call(OpCond, g.expression(Bool, depth-1), g.expression(k, depth-1), g.expression(k, depth-1))
	}
	of := []Kind{Text, Int, Bool}[g.IntN(3)]
	args := []Expr{g.expression(of, depth-1)}
	seen := map[Value]bool{}
	for range 1 + g.IntN(4) {
		literals := map[Kind]Expr{Text: TextOf(g.text()), Int: IntOf(g.number()), Bool: BoolOf(g.IntN(2) == 0)}
		if choice := literals[of]; !seen[choice.literal()] {
			seen[choice.literal()] = true
			args = append(args, choice, g.expression(k, depth-1))
		}
	}
	if g.IntN(3) > 0 {
		args = append(args, g.expression(k, depth-1))
	}
	return Call(OpSelect, args...)
}

func (g *generator) arithmetic(k Kind, depth int) Expr {
	arg := func(k Kind) Expr { return g.expression(k, depth-1) }
	switch g.IntN(8) {
	case 0:
		return Call(OpAdd, arg(k), arg(k))
	case 1:
		return Call(OpSub, arg(k), arg(k))
	case 2:
		if g.IntN(2) == 0 {
			return Call(OpMul, arg(Int), arg(k))
		}
		return Call(OpMul, arg(k), arg(Int))
	case 3:
		if unit := []Kind{Size, Duration, Int}[g.IntN(3)]; k == Int {
			return Call(OpDiv, arg(unit), arg(unit))
		}
		return Call(OpDiv, arg(k), arg(Int))
	case 4:
		return Call(OpMod, arg(k), arg(k))
	case 5:
		return Call(OpClamp, arg(k), arg(k), arg(k))
	}
	args := []Expr{}
	for range 1 + g.IntN(3) {
		args = append(args, arg(k))
	}
	return Call([]Op{OpMin, OpMax}[g.IntN(2)], args...)
}

func (g *generator) leaf(k Kind) Expr {
	switch {
	case k == List && g.IntN(3) > 0:
		return FlagOf(fmt.Sprintf("list-%d", 1+g.IntN(3)))
	case k == List:
		return ListOf([][]string{nil, {"a"}, {"it's", "$x", "*"}}[g.IntN(3)]...)
	}
	if g.IntN(3) > 0 {
		return FlagOf(fmt.Sprintf("%s-%d", string(k)[:1], 1+g.IntN(3)))
	}
	switch k {
	case Bool:
		return BoolOf(g.IntN(2) == 0)
	case Text:
		return []Expr{TextOf(g.text()), HostOf("name"), HostOf("arch")}[g.IntN(3)]
	case Path:
		return PathOf(g.path())
	case Size:
		return []Expr{SizeOf(g.number()), HostOf("memory")}[g.IntN(2)]
	case Duration:
		return DurationOf(g.number())
	}
	return []Expr{IntOf(g.number()), HostOf("cpus")}[g.IntN(2)]
}
