package interp

import (
	"fmt"
	"testing"

	"go.starlark.net/starlark"

	"recipe/builtins"
	"recipe/builtins/diag"
)

// preamble gives host values under short names, and a service.
const preamble = small + `
port = flag("port", type = "port", default = 8080)
name = flag("name", type = "string", default = "x")
path = flag("path", type = "path", default = "/x")
size = flag("size", type = "size", default = "1MiB")
wait = flag("wait", type = "duration", default = "1s")
conf = config("foo.conf", "/etc/foo.conf")
made = fmt("{}", port)
`

// TestNoSilentWrongAnswer tries everything that would ask a host value for an answer that it cannot give. Each must be
// an error; none may pass, and none may end the program.
func TestNoSilentWrongAnswer(t *testing.T) {
	t.Parallel()
	values := []string{"port", "name", "path", "size", "wait", "made", "host.cpus", "host.name", "port + 1", "-port",
		"cond(port == 1, 1, 2)", "cond(port == 1, \"a\", \"b\")", "select(name, {\"a\": 1}, default = 2)", "percent(size, 50)", "cond(size > \"1KiB\", conf, path)"}
	for _, v := range values {
		for _, use := range []string{
			"1 if %s else 2", "not %s", "%s and 1", "%s or 1", "bool(%s)", "any([%s])", "all([1, %s])", "all([conf, %s])", "[x for x in [1] if %s]",
			"%s == 1", "1 == %s", "%s != 1", "%s < 1", "1 < %s", "%s <= 1", "%s > 1", "%s >= 1", "%s == %[1]s", "[%s] == [1]", "{1: %s} == {1: 1}", "(1, %s) != (1, 2)", "[[%s]] == [[1]]",
			"%s in [1, 2]", "%s not in (1, 2)", "1 in [%s]", "%s in {}", "%s in \"abc\"", "1 in %s", "%s in set([1])", "%s in range(3)",
			"str(%s)", "repr(%s)", "str([%s])", "\"%%s\" %% %s", "\"%%s %%s\" %% (1, %s)", "\"%%s\" %% [%s]", "\"{}\".format(%s)", "\"{x}\".format(x = %s)", "getattr(\"{}\", \"format\")(%s)",
			"\"a\" + %s", "%s + \"a\"", "[1] + %s", "\"a\" * %s", "[1] * %s", "\",\".join([%s])", "\"abc\".startswith(%s)", "\"abc\".replace(\"a\", %s)",
			"len(%s)", "list(%s)", "sorted([%s, 1])", "sorted([%s, %[1]s])", "range(%s)", "int(%s)", "float(%s)", "max(%s, 1)", "min([%s, 2])", "abs(%s)", "chr(%s)",
			"[1, 2][%s]", "%s[0]", "\"abc\"[%s:]", "{%s: 1}", "set([%s])", "{}.get(%s)", "dict([(%s, 1)])", "[x for x in %s]", "zip(%s)", "hash(%s)", "%s.foo", "%s()", "dir(*%s)",
			"[1].index(%s)", "[%s, 1].index(1)", "[[%s]].index([1])", "[%s].remove(1)", "getattr([%s], \"index\")(1)", "{}.setdefault(%s, 1)", "set([1]).union([%s])", "sorted([1, 2], key = lambda y: [%s])",
			"%s / 2", "%s & 1", "%s << 1", "~%s", "%s ^ 1",
		} {
			src := preamble + "x = " + fmt.Sprintf(use, v) + "\n"
			_, list := EvaluateBytes("x.star", []byte(src), Options{})
			if !list.Failed() {
				t.Errorf("%s passed:\n%s", src[len(preamble):], list)
			}
		}
	}
}

// TestHandlesAreNoText holds the same for handles, whose paths have a root in front on the host.
func TestHandlesAreNoText(t *testing.T) {
	t.Parallel()
	for _, use := range []string{
		"conf == \"/etc/foo.conf\"", "\"/etc/foo.conf\" != conf", "conf in [\"/etc/foo.conf\"]", "\"/etc/foo.conf\" in [conf]", "str(conf)", "\"%s\" % conf", "\"{}\".format(conf)",
		"conf + \".d\"", "\"a\" + conf", "{conf: 1}", "conf % 2", "[conf] == [1]",
	} {
		_, list := EvaluateBytes("x.star", []byte(preamble+"x = "+use+"\n"), Options{})
		if !list.Failed() {
			t.Errorf("%s passed:\n%s", use, list)
		}
	}
}

// TestAllowedOnHostValues lists what works on them.
func TestAllowedOnHostValues(t *testing.T) {
	t.Parallel()
	for _, use := range []string{
		"port == None", "None != port", "port if port != None else 1", "None or port", "conf == conf", "len([port])", "type(port)", "[port, conf]", "{\"a\": port}", "list([port])",
		"port + 1", "2 * port", "port // 2 % 3", "-port", "size - \"1KiB\"", "size // \"4KiB\"", "wait * 2", "\"10s\" + wait", "fmt(\"{}{}\", port, conf)", "clamp(size, \"1MiB\", \"2MiB\")",
		"min_of(port, 9000)", "max_of(wait, \"2s\")", "host.memory // host.cpus", "fmt(\"{}\", made)", "1 if conf else 2", "bool(conf)", "all([conf])",
	} {
		_, list := EvaluateBytes("x.star", []byte(preamble+"x = "+use+"\n"), Options{})
		if list.Failed() {
			t.Errorf("%s:\n%s", use, list)
		}
	}
}

// TestGuardsChangeNothing evaluates ordinary Starlark with and without the guards, and wants the same.
func TestGuardsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"1 == 1.0", "\"a\" == 1", "[1, [2]] == [1, [2]]", "{\"a\": [1]} == {\"a\": [1]}", "1 < 2", "\"a\" >= \"b\"", "3 in [1, 2, 3]", "\"x\" not in {\"x\": 1}", "\"b\" in \"abc\"", "2 in range(5)",
		"not []", "not not \"a\"", "1 and 0", "[] and 1", "0 or \"x\"", "None or []", "(1 < 2) and (2 < 3) or fail()", "1 if 0 else 2 if [] else 3",
		"7 % 3", "-7 % 3", "7.5 % 2", "\"%s-%d-%r\" % (\"a\", 5, \"b\")", "\"%s\" % None", "\"%%\" % ()", "\"{} {x}\".format(1, x = 2)", "getattr(\"{}!\", \"format\")(3)",
		"[x for x in range(10) if x % 2 == 0 if not x == 4]", "{k: v for k, v in {\"a\": 1, \"b\": 2}.items() if v > 1}", "[(x, y) for x in [1, 2] for y in [3, 4] if x + y != 5]",
		"3 * \"ab\"", "[1, 2] * 2", "2 * (1,)", "1.5 * 2", "-3 * [1]", "1000000007 * 1000000007 * 1000000007", "len(\"日本\")", "max([3, 1], key = lambda x: -x)", "min(3, 1)", "sorted([3, 1, 2], reverse = True)",
		"str([1, \"a\", None])", "repr(\"a\\n\")", "bool([0])", "any([0, 1])", "all([])", "int(\"12\", 8)", "float(\"1.5\")", "list(range(3, 9, 2))", "(lambda a, b = 2 % 2 == 0: (a, b))(1)",
		"[1, 2, 3][0 if 1 == 2 else 1]", "\"abc\"[1 if not 0 else 0:]", "{1 == 1: 2 != 2}", "set([1, 2]) == set([2, 1])", "(1, 2) < (1, 3)", "type(1 == 1)", "[not x for x in [0, 1]]", "(1 == 1) == (2 == 2)",
		"[i for i in range(2) if (lambda: i == 1)()]", "-1 % 5 == 4 and \"%x\" % 255 == \"ff\"",
	} {
		want, err := starlark.EvalOptions(dialect(), new(starlark.Thread), "x", expression, nil)
		if err != nil {
			t.Fatalf("%s: %v", expression, err)
		}
		_, list := EvaluateBytes("x.star", []byte("print(repr("+expression+"))\n"), Options{})
		if got := printed(list); got != want.String() {
			t.Errorf("%s: with guards %s, without %s\n%s", expression, got, want, list)
		}
	}
}

func TestAugmentedAssignmentKeepsItsMeaning(t *testing.T) {
	t.Parallel()
	src := `
def f():
    a, b, c, d, e = 17, "%s!", [1], {"k": "%d"}, [3]
    a %= 5
    b %= "x"
    c *= 2
    d["k"] %= 7
    e[0] *= 4
    e[0] %= 5
    for x in [1, 2]:
        if x == 2:
            a += x
        elif not x != 1:
            a -= 1
        else:
            fail()
    return a, b, c, d, e
print(f())
`
	_, list := EvaluateBytes("x.star", []byte(src), Options{})
	if got := printed(list); got != `(3, "x!", [1, 1], {"k": "7"}, [2])` {
		t.Errorf("%s\n%s", got, list)
	}
}

func printed(list diag.List) string {
	for _, d := range list {
		if d.Code == builtins.CodeNote {
			return d.Message
		}
	}
	return ""
}

// TestNoRecipeCanSpellAGuard holds that guards cannot be called, shadowed or assigned to.
func TestNoRecipeCanSpellAGuard(t *testing.T) {
	t.Parallel()
	guards := 0
	for name := range builtins.Environment(builtins.NewRecording()) {
		_, list := EvaluateBytes("x.star", []byte("x = "+name+"\n"+small), Options{})
		if builtins.IsGuard(name) {
			guards++
			if len(list) == 0 || list[0].Code != CodeSyntax {
				t.Errorf("%q can be spelt:\n%s", name, list)
			}
		} else if list.Failed() {
			t.Errorf("%q cannot be named:\n%s", name, list)
		}
	}
	if guards < 15 {
		t.Errorf("%d guards", guards)
	}
}
