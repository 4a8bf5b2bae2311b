package interp

import (
	"testing"

	"recipe/runtime/expr"
)

// TestCondDecidesAsStarlarkWould compares what cond comes to on a host with Starlark's own conditional expression over
// the value of the flag.
func TestCondDecidesAsStarlarkWould(t *testing.T) {
	t.Parallel()
	tests := [][]string{
		{"x == 1", "1 == x", "x != 1", "x < 2", "2 > x", "x <= 1", "x >= 1", "not x == 1", "not not x == 1", "x == 1 or x == 2", "x > 0 and x < 2", "not (x > 0 and x < 2)", "(x == 1) == True", "(x == 1) != (x == 2)",
			"x + 1 == 2", "x * 2 > x + 1", "None != x", "x == None or x == 2", "None == None and x == 1", "True and x == 1", "False or x == 1", "x == 1 and True", "x == 1 or False", "1 < 2", "[] == [] and x > 1",
			"x == 0 or 2 // x == 1", "x != 0 and 2 // x == 2", "None and None > x or x == 1", "(x > 0 or x == 0) and (x < 1 or x > 1)"},
		{`x == "a"`, `x != ""`, `"a" == x and not x == "%s"`, `fmt("{}b", x) == "ab"`},
		{"x", "not x", "x == True", "x != False and x", "x and not x or x", "x or x"},
	}
	for i, k := range kindsOfHost() {
		for _, test := range tests[i] {
			for _, call := range []string{"cond(" + test + ", 1, 2)", "cond(otherwise = 2, then = 1, test = " + test + ")"} {
				host, list := globals("x = " + k.declared + "\nr = " + call + "\n")
				if list.Failed() {
					t.Errorf("%s:\n%s", call, list)
					continue
				}
				for _, value := range k.values {
					plain, err := globals("x = " + value + "\nr = 1 if " + test + " else 2\n")
					if err.Failed() {
						t.Fatalf("%s: %s", test, err)
					}
					env := &expr.Env{Flags: map[string]expr.Value{"x": valueOf(t, plain["x"])}}
					if got := resolved(t, host["r"], env); got != plain["r"] {
						t.Errorf("x = %s: %s gives %s, Starlark %s", value, call, got, plain["r"])
					}
				}
			}
		}
	}
}

// TestComparedInCondAlone holds that a comparison which is not in the first argument of cond is refused.
func TestComparedInCondAlone(t *testing.T) {
	t.Parallel()
	for _, use := range []string{
		"cond(1, x == 1, 2)", "cond([x] == [1], 1, 2)", "cond(x in [1], 1, 2)", "cond(bool(x), 1, 2)", "cond(True if x == 1 else False, 1, 2)", "cond(x, 1, 2)", "cond(x and x == 1, 1, 2)", "cond(x == 1 or x, 1, 2)",
		"cond(not x, 1, 2)", "cond(x == \"1\", 1, 2)", "cond(f(x == 1), 1, 2)", "cond((lambda: x == 1)(), 1, 2)", "cond([x == 1][0], 1, 2)", "cond(*[x == 1, 1, 2])", "cond(**{\"test\": x == 1, \"then\": 1, \"otherwise\": 2})",
		"other(x == 1, 1, 2)", "[y for y in [1] if cond(x == 1, True, False)]", "1 if cond(x == 1, 1, 2) else 2", "cond(x == 1, 1, 2) == 1", "cond(x == 1, 1, \"a\")", "cond(x == 1, 1, [2])", "cond(x == 1, size(\"1KiB\"), 2)",
		"cond(\"a\" < fmt(\"{}\", x), 1, 2)", "cond(x == 1 and [1], 1, 2)", "cond(x == 1, None, 2)", "cond(x == f, 1, 2)",
	} {
		if _, list := globals("x = flag(\"x\", type = \"int\", default = 1)\nf = lambda y: y\nother = cond\nr = " + use + "\n"); !list.Failed() {
			t.Errorf("%s passed", use)
		}
	}
}

// TestKnownNow holds that what needs no host is computed at once.
func TestKnownNow(t *testing.T) {
	t.Parallel()
	for use, want := range map[string]string{
		`size("1GiB") // "1MiB"`:                                 "1024",
		`size("1GiB") // size("1MiB")`:                           "1024",
		`size("1KiB") * 3`:                                       `"3KiB"`,
		`size("1KiB") - "2KiB" + "1MiB"`:                         `"1023KiB"`,
		`duration("90s") // 2`:                                   `"45s"`,
		`percent(50, 10)`:                                        "5",
		`percent(size("1KiB"), 50)`:                              `"512B"`,
		`min_of(3, 2)`:                                           "2",
		`clamp("9s", duration("1s"), "5s")`:                      `"5s"`,
		`cond(size("1KiB") > "1B", "a", "b")`:                    `"a"`,
		`cond(size("1KiB") == size("1KiB") and not False, 1, 2)`: "1",
		`cond(True, "1KiB", size("2KiB"))`:                       `"1KiB"`,
		`type(cond(True, "1KiB", size("2KiB")))`:                 `"host value"`,
		`cond(False, [1][0], 2)`:                                 "2",
		`select("b", {"a": 1, "b": 2})`:                          "2",
		`select(3, {1: "x"}, default = "y")`:                     `"y"`,
		`select(True, {True: 1, False: 2})`:                      "1",
		`fmt("{} {}", size("1KiB"), duration("60s"))`:            `"1024 1m"`,
		`[x for x in [1] if cond(x == 1, True, False)]`:          "[1]",
	} {
		got, list := globals("r = " + use + "\n")
		if list.Failed() || got["r"].String() != want {
			t.Errorf("%s gives %v, want %s\n%s", use, got["r"], want, list)
		}
	}
}

// TestChoicesAreBounded: each path is twice the one before it, and the bound counts through handles.
func TestChoicesAreBounded(t *testing.T) {
	t.Parallel()
	for _, twice := range []string{"cond(x, directory(p), directory(p))", "select(x, {True: p, False: directory(p)})", "cond(cond(x, p, p) == p, p, p)"} {
		_, list := globals("x = flag(\"x\", type = \"bool\", default = True)\ndef f():\n    p = flag(\"p\", type = \"path\", default = \"/x\")\n    for i in range(60):\n        p = " + twice + "\n    return p\nr = f()\n")
		if !list.Failed() || list[0].Code != "bad-arithmetic" {
			t.Errorf("%s:\n%s", twice, list)
		}
	}
}
