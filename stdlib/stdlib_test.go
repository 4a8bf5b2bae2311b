package stdlib_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/syntax"

	"recipe/interp"
	"recipe/stdlib"
)

// TestModulesExportFunctions holds each module to exporting nothing else.
func TestModulesExportFunctions(t *testing.T) {
	t.Parallel()
	for _, name := range stdlib.Names() {
		text, err := stdlib.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := (&syntax.FileOptions{}).Parse(name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Stmts[1:] {
			_, function := s.(*syntax.DefStmt)
			if _, loads := s.(*syntax.LoadStmt); !function && !loads {
				t.Errorf("%s exports more than functions at line %d", name, syntax.Start(s).Line)
			}
		}
	}
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
