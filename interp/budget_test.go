package interp

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/builtins/diag"
)

func codes(list diag.List) string {
	var all []string
	for _, d := range list {
		all = append(all, d.Code)
	}
	return strings.Join(all, " ")
}

// TestOneBudgetForAllLoads spends two thirds of the steps in a module, and wants the recipe to run out of the rest.
func TestOneBudgetForAllLoads(t *testing.T) {
	t.Parallel()
	const loop = "def spend():\n    for i in range(1000):\n        pass\nspend()\n"
	dir := write(t, map[string]string{
		"alone.star":  loop + small,
		"recipe.star": `load("a.star", "a")` + "\n" + loop,
		"a.star":      loop + "a = 1\n",
	})
	o := Options{Steps: 9000}
	if _, list := Evaluate(filepath.Join(dir, "alone.star"), o); list.Failed() {
		t.Fatal(list)
	}
	if _, list := Evaluate(filepath.Join(dir, "recipe.star"), o); codes(list) != CodeBudget {
		t.Error(list)
	}
}

// TestBudgetIsSaidOnce lets a module run out, and wants one diagnostic for it and none for what follows.
func TestBudgetIsSaidOnce(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"recipe.star": `load("a.star", "a")` + "\n" + `load("b.star", "b")` + "\nservice(name = \"x\", command = [a, b])\n",
		"a.star":      "for i in range(1000):\n    pass\na = 1\n",
		"b.star":      "b = 1\n",
	})
	if _, list := Evaluate(filepath.Join(dir, "recipe.star"), Options{Steps: 500}); codes(list) != CodeBudget {
		t.Error(list)
	}
}

// TestHugeRecipesEnd tries texts that are built to take long or to nest deep. Each must end soon, with an answer.
func TestHugeRecipesEnd(t *testing.T) {
	t.Parallel()
	deep := func(open, inner, shut string, n int) string {
		return "x = " + strings.Repeat(open, n) + inner + strings.Repeat(shut, n) + "\n"
	}
	for name, src := range map[string]string{
		"brackets":    deep("[", "", "]", 400_000),
		"parentheses": deep("(", "1", ")", 400_000),
		"negations":   deep("-", "1", "", 900_000),
		"nots":        deep("not ", "1", "", 200_000),
		"dots":        deep("", "a", ".a", 100_000),
		"sums":        deep("", "1", "+1", 100_000),
		"calls":       deep("", "f", "()", 100_000),
		"indices":     deep("", "f", "[0]", 100_000),
		"lambdas":     deep("lambda: ", "1", "", 100_000),
		"conditions":  deep("1 if 1 else ", "1", "", 80_000),
		"conditions2": deep("", "1", " if 1 else 1", 80_000),
		"ands":        deep("1 and ", "1", "", 150_000),
		"ifs":         "if 1:\n  pass\n" + strings.Repeat("elif 1:\n  pass\n", 60_000),
		"longer":      strings.Repeat("#", mostSource+1),
		"expressions": "def f():\n    x = host.cpus\n    for i in range(100):\n        x = x + x\n    return x\nf()\n",
		"formats":     "def f():\n    x = fmt(\"{}\", host.cpus)\n    for i in range(100):\n        x = fmt(\"{}{}\", x, x)\n    return x\nf()\n",
		"squares":     "def f():\n    x = 3\n    for i in range(100):\n        x *= x\nf()\n",
		"mistakes":    "for i in range(100000):\n    service(name = i)\n",
		"nested":      "def f():\n    x = []\n    for i in range(100000):\n        x = [x]\n    return x == x\ny = f()\n",
		"undefined":   strings.Repeat("a\nb\nc\n", 100_000) + "d\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, list := EvaluateBytes("x.star", []byte(src), Options{})
			if !list.Failed() && name != "nested" && name != "ifs" {
				t.Errorf("no error:\n%.500s", list)
			}
			if len(list.String()) > 500_000 {
				t.Errorf("%d bytes of diagnostics", len(list.String()))
			}
			if took := time.Since(start); took > Wall {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestSharedListsEnd uses a list that holds itself many times over: it is small, and would print as more than memory.
func TestSharedListsEnd(t *testing.T) {
	t.Parallel()
	for _, use := range []string{"x == f()", "str(x)", "repr([x])", "print(x)", "\"%s\" % [x]", "\"{}\".format(x)", "fail(x)", "x in [x]", "sorted([x, x])", "max(x, x)", "any(x)", "fmt(\"{}\", x)", "service(name = x)"} {
		src := "def f():\n    x = [1]\n    for i in range(60):\n        x = [x, x, x]\n    return x\nx = f()\ny = " + use + "\n"
		start := time.Now()
		_, list := EvaluateBytes("x.star", []byte(src), Options{})
		if took := time.Since(start); took > Wall || !list.Failed() {
			t.Errorf("%s took %v:\n%.500s", use, took, list)
		}
	}
}

func TestTooManyModules(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	var recipe strings.Builder
	for i := range mostInputs + 5 {
		files[fmt.Sprintf("m%d.star", i)] = "x = 1\n"
		fmt.Fprintf(&recipe, "load(\"m%d.star\", x%d = \"x\")\n", i, i)
	}
	files["recipe.star"] = recipe.String() + small
	_, list := Evaluate(filepath.Join(write(t, files), "recipe.star"), Options{})
	if !list.Failed() || !strings.Contains(list.String(), "more than 256 files") {
		t.Errorf("%.500s", list)
	}
}
