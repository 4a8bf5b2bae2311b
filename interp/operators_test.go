package interp

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
)

// operands are what stands on the sides of a binary operator.
func operands() []string {
	return []string{"x", "1", `"a"`, `"%s"`, "None", "[x]", "[1]", "(x,)", "(1,)", `{"k": x}`, `{"k": 1}`, `{1: 2}`, "[[x]]", "[[1]]", "[1, x]", "[x, 1]", "set([1])", "range(2)"}
}

// TestNoOperatorAnswersWrongly takes every token of Starlark's syntax. A new one fails the test until it stands here.
func TestNoOperatorAnswersWrongly(t *testing.T) {
	t.Parallel()
	binary := []string{"+", "-", "*", "/", "//", "%", "&", "|", "^", "<<", ">>", "<", ">", ">=", "<=", "==", "!=", "and", "or", "in", "not in"}
	unary := []string{"~", "not", "+", "-"}
	augmented := []string{"+=", "-=", "*=", "/=", "//=", "%=", "&=", "|=", "^=", "<<=", ">>="}
	special := map[string][]string{
		".":      {"r = x.y", `r = [x][0].y`, `r = getattr(x, "y")`},
		",":      {"r = (x, 1)", "a, b = x\nr = a", "a, b = [x, 1]\nr = a", "[a, b] = x\nr = a"},
		"=":      {"r = x", "r = [x]", "r = [0]\nr[0] = x", "r = [1, 2]\nr[x] = 5", "r = {}\nr[x] = 1", "r = {}\nr[(x,)] = 1", `r = {}` + "\n" + `r["k"] = x`, "r = dict(k = x)", "def f(a = x):\n    return a\nr = f()"},
		":":      {"r = [1, 2][x:]", "r = [1, 2][:x]", "r = [1, 2][::x]", `r = "abc"[x:]`, "r = [x, 1][1:]", `r = {x: 1}`, `r = {"k": x}`},
		"(":      {"r = x()", "r = (x)", "r = [x][0]()"},
		"[":      {"r = x[0]", "r = [1, 2, 3][x]", `r = {1: 2}[x]`, `r = {"a": x}["a"]`, `r = "abc"[x]`, "r = [x][0]", "r = (1, x)[1]"},
		"{":      {"r = {x: x}", "r = {1: x}", "r = {y: 1 for y in [x]}", "r = {1: y for y in [x]}", "r = {(1, x): 2}"},
		"**":     {"def f(**k):\n    return k\nr = f(**x)", "def f(**k):\n    return k\nr = f(**{\"a\": x})"},
		"elif":   {"r = 1\nif False:\n    r2 = 1\nelif x:\n    r2 = 2"},
		"else":   {"r = 1 if x else 2", "r = 1 if [x] else 2", "r = x if True else 2", "r = 1 if [x] == [1] else 2"},
		"for":    {"r = [y for y in x]", "r = [y for y in [x]]", "r = [y for y in (1, x)]", "r = []\nfor y in x:\n    r.append(y)", "r = [a for a, b in [x]]", "r = [a for a, b in [(x, 1)]]", "r = [y for y in [1, 2] for z in x]"},
		"if":     {"r = 1\nif x:\n    r2 = 2", "r = [y for y in [1] if x]", "r = [y for y in [x] if y]", "r = [y for y in [x] if [y]]", "r = [y for y in [1] if not x]", "r = {y: 1 for y in [1] if x == 1}"},
		"lambda": {"r = (lambda: x)()", "r = (lambda y: y)(x)", "r = (lambda y: y == 1)(x)", "r = (lambda: not x)()"},
		"return": {"def f():\n    return x\nr = f()", "def f():\n    return x == 1\nr = f()", "def f():\n    return not x\nr = f()"},
		"def":    {"def f(y):\n    return y\nr = f(x)", "def f(*y):\n    return y\nr = f(*x)", "def f(*y):\n    return y\nr = f(*[x])"},
		"while":  {"r = 1\nwhile x:\n    r2 = 1"},
	}
	none := "illegal token|end of file|newline|indent|outdent|identifier|int literal|float literal|string literal|bytes literal|;|)|]|}|break|continue|load|pass|" +
		"as|async|await|class|del|except|finally|from|global|import|is|nonlocal|raise|try|with|yield"
	found := seen{}
	for _, op := range tokens() {
		known := op == "" || slices.Contains(strings.Split(none, "|"), op)
		if slices.Contains(binary, op) {
			known = true
			sides := operands()
			if !slices.Contains([]string{"==", "<", "in", "%", "+", "*", "and", "or"}, op) {
				sides = sides[:10]
			}
			for _, a := range sides {
				for _, b := range sides {
					if strings.Contains(a+b, "x") {
						found.add(t, op, fmt.Sprintf("r = %s %s %s", a, op, b))
					}
				}
			}
		}
		if slices.Contains(unary, op) {
			known = true
			for _, a := range []string{"x", "[x]", "(x,)", `{"k": x}`} {
				found.add(t, op, fmt.Sprintf("r = %s %s", op, a))
			}
		}
		if slices.Contains(augmented, op) {
			known = true
			for _, y := range []string{"2", "x", `"a"`, `"%s"`, "[1]", "[x]", `{"k": 1}`, "set([1])"} {
				for _, z := range []string{"2", "x", `"a"`, "[1]", "[x]", "(x,)", `{"k": x}`} {
					if strings.Contains(y+z, "x") {
						found.add(t, op, fmt.Sprintf("def f():\n    y = %s\n    y %s %s\n    return y\nr = f()", y, op, z))
						found.add(t, op, fmt.Sprintf("r = [%s]\nr[0] %s %s", y, op, z))
						found.add(t, op, fmt.Sprintf("r = {\"a\": %s}\nr[\"a\"] %s %s", y, op, z))
					}
				}
			}
		}
		for _, body := range special[op] {
			known = true
			found.add(t, op, body)
		}
		if !known {
			t.Errorf("%q is a token that this test does not know", op)
		}
	}
	found.hold(t, map[outcome]string{
		refused: "/ & ^ << >> ~ /= &= ^= <<= >>= < <= > >= . while elif",
	})
}

// hold wants exactly the named to be always refused, and exactly those to be always carried; the rest is both, by operand.
func (s seen) hold(t *testing.T, want map[outcome]string) {
	t.Helper()
	got := map[outcome][]string{}
	for what, outcomes := range s {
		if len(outcomes) == 1 {
			got[outcomes[0]] = append(got[outcomes[0]], what)
		}
	}
	for _, o := range []outcome{refused, carried, wrong} {
		names := strings.Fields(want[o])
		sort.Strings(names)
		sort.Strings(got[o])
		if !slices.Equal(got[o], names) {
			t.Errorf("always %s: %q, want %q", o, got[o], names)
		}
	}
}

// tokens are those of the syntax, in its own order.
func tokens() (list []string) {
	defer func() { _ = recover() }() // past the last, which is not exported
	for tok := syntax.ILLEGAL; ; tok++ {
		list = append(list, tok.String())
	}
}

// calls are arguments of every shape, each with a host value.
func calls() []string {
	return []string{"x", "x, 1", "1, x", "x, x", `x, "a"`, `"a", x`, "[x]", "[1, x]", "(x, 1)", "[[x], [1]]", "[(1, x)]", `[("a", x)]`, "[(x, 1)]", `{"a": x}`, "[x], 1", "[x], [1]", "x, [x]", "*x", "*[x]", `**{"a": x}`, "a = [x]",
		`"%s", x`, "[x, x]", "[1], x", "x, [1]", `[1, 2], key = lambda y: x`, `[1, 2], key = lambda y: [x]`, "[2, 1], reverse = x", "1, 2, x", "0, x, 1", "x, 1, 2", "**x", "a = x", "x, base = 10", `"1", base = x`, `"1", x`, "sep = x", `"a", sep = x`,
		`[], "index"`, `[x], "index"`, `"{}", "format"`, `x, "y", 1`, `x, "y"`}
}

// TestNoBuiltinAnswersWrongly calls everything in Starlark's universe, and the language's replacements of it. A new one
// fails the test until it stands here.
func TestNoBuiltinAnswersWrongly(t *testing.T) {
	t.Parallel()
	// type, dir, hasattr and getattr ask what a thing is, and a host value is one of its own kind; print and fail show it.
	about := []string{"type", "dir", "hasattr", "getattr", "fail", "print"}
	constants := []string{"None", "True", "False"}
	found := seen{}
	for name := range starlark.Universe {
		switch {
		case slices.Contains(constants, name):
		case slices.Contains(about, name):
			_, list := globals("x = " + kindsOfHost()[0].declared + "\nr = " + name + "(x)\n")
			if text := list.String(); (name == "print" || name == "fail") != strings.Contains(text, `flag("x")`) {
				t.Errorf("%s: %s", name, text)
			}
		default:
			for _, args := range calls() {
				found.add(t, name, fmt.Sprintf("r = %s(%s)", name, args))
			}
		}
	}
	found.hold(t, map[outcome]string{
		refused: "abs all any bytes chr float hash int ord range repr sorted str",
	})
	for _, name := range strings.Fields("bool dict enumerate len list max min reversed set tuple zip") {
		if len(found[name]) != 2 {
			t.Errorf("%s is %v, where some operands are carried and some refused", name, found[name])
		}
	}
	if len(found) != 24 {
		t.Errorf("%d words were tried: one that is new stands in none of the lists", len(found))
	}
}

// TestNoMethodAnswersWrongly calls every method of Starlark's types; those with a guard also by getattr.
func TestNoMethodAnswersWrongly(t *testing.T) {
	t.Parallel()
	receivers := map[string][]string{
		"string": {`"a"`, `"%s {} {a}"`}, "list": {"[1, 2]", "[x, 1]", "[1, x]", "[[x], [1]]"}, "dict": {`{"a": 1, 1: 2}`, `{"a": x}`}, "set": {"set([1, 2])"}, "bytes": {`b"a"`},
		"int": {"1"}, "float": {"1.5"}, "tuple": {"(x, 1)"}, "range": {"range(3)"}, "bool": {"True"}, "NoneType": {"None"}, "function": {"(lambda: x)"}, "builtin_function_or_method": {"len"},
	}
	kinds := kindsOfHost()[:2]
	found := seen{}
	for kind, texts := range receivers {
		for _, receiver := range texts {
			got, list := globals("x = 1\nr = " + receiver + "\n")
			if list.Failed() || got["r"].Type() != kind {
				t.Fatalf("%s is no %s\n%s", receiver, kind, list)
			}
			attributes, ok := got["r"].(starlark.HasAttrs)
			if !ok {
				continue
			}
			for _, method := range attributes.AttrNames() {
				shapes := calls()[:21] // the rest is for what takes key, base and the like
				if strings.Contains(receiver, "x") {
					shapes = append(shapes, "", "1", "0", `"a"`, "[1]")
				}
				for _, args := range shapes {
					found.add(t, kind+"."+method, fmt.Sprintf("def f():\n    y = %s\n    z = y.%s(%s)\n    return [y, z]\nr = f()", receiver, method, args), kinds...)
					if _, guarded := builtins.GuardAttribute(method); guarded {
						found.add(t, kind+"."+method, fmt.Sprintf("def f():\n    y = %s\n    z = getattr(y, %q)(%s)\n    return [y, z]\nr = f()", receiver, method, args), kinds...)
					}
				}
			}
		}
	}
	for name, outcomes := range found {
		if slices.Contains(outcomes, wrong) {
			t.Errorf("%s answers wrongly", name)
		}
	}
	if len(found) < 60 {
		t.Errorf("%d methods", len(found))
	}
}
