package stdlib_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/syntax"

	"recipe/interp"
	"recipe/stdlib"
)

// TestEveryFunctionIsDocumented holds each module and each function that it exports to a docstring, and to exporting
// nothing but functions.
func TestEveryFunctionIsDocumented(t *testing.T) {
	t.Parallel()
	names := stdlib.Names()
	if len(names) == 0 {
		t.Fatal("there are no modules")
	}
	for _, name := range names {
		text, err := stdlib.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := (&syntax.FileOptions{}).Parse(name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !documented(f.Stmts) {
			t.Errorf("%s has no docstring", name)
		}
		for _, s := range f.Stmts[1:] {
			def, ok := s.(*syntax.DefStmt)
			if !ok {
				t.Errorf("%s exports more than functions at line %d", name, syntax.Start(s).Line)
			} else if !strings.HasPrefix(def.Name.Name, "_") && !documented(def.Body) {
				t.Errorf("%s: %s has no docstring", name, def.Name.Name)
			}
		}
	}
}

func documented(body []syntax.Stmt) bool {
	s, ok := body[0].(*syntax.ExprStmt)
	if !ok {
		return false
	}
	text, ok := s.X.(*syntax.Literal)
	return ok && text.Token == syntax.STRING
}

func TestUnknownModule(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nothing.star", "../stdlib.go", "", "probes_test.star"} {
		if text, err := stdlib.Read(name); err == nil {
			t.Errorf("%q gave %q", name, text)
		}
	}
}

// TestHTTPOK holds that the probe is http's own, with its timing.
func TestHTTPOK(t *testing.T) {
	t.Parallel()
	p, list := interp.EvaluateBytes("x.star", []byte(`
load("@std//probes.star", "http_ok")
service(name = "a", command = ["/x"], probes = [
    http_ok(80),
    http_ok(81, "/a", every = "3s", timeout = "1s", failures = 4, successes = 2, start_within = "5m", expect = "fine"),
])
service(name = "b", command = ["/x"], probes = [
    http(80, "/"),
    http(81, "/a", every = "3s", timeout = "1s", failures = 4, successes = 2, start_within = "5m", expect = "fine"),
])
`), interp.Options{})
	if p == nil {
		t.Fatal(list)
	}
	if diff := cmp.Diff(p.Services[1].Probes, p.Services[0].Probes); diff != "" {
		t.Error(diff)
	}
}
