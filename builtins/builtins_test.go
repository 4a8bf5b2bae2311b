package builtins_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/runtime/plan"
)

var update = flag.Bool("update", false, "rewrite the table of words in SPEC.md")

// TestExamplesEvaluate evaluates the example of every word, which must name the word and be without a mistake.
func TestExamplesEvaluate(t *testing.T) {
	t.Parallel()
	for _, w := range builtins.Words() {
		_, list := interp.EvaluateBytes(w.Name+".star", []byte(w.Example+"\n"), interp.Options{Files: &interp.Folder{Path: "testdata/examples"}})
		if !regexp.MustCompile(`\b` + w.Name + `\b`).MatchString(w.Example) {
			t.Errorf("%s: its example does not show it", w.Name)
		}
		for _, d := range list {
			if d.Code != interp.CodeNothing && d.Severity == diag.Error {
				t.Errorf("%s: %s", w.Name, d)
			}
		}
	}
}

// TestEveryWordIsDocumented holds the table to the form that documentation needs.
func TestEveryWordIsDocumented(t *testing.T) {
	t.Parallel()
	env := builtins.Environment(builtins.NewRecording())
	seen := map[string]bool{}
	for _, w := range builtins.Words() {
		if seen[w.Name] || !env.Has(w.Name) {
			t.Errorf("%s is there twice, or not at all", w.Name)
		}
		seen[w.Name] = true
		if !strings.HasSuffix(w.Doc, ".") {
			t.Errorf("%s: its documentation is no sentence: %q", w.Name, w.Doc)
		}
		named := false
		for _, p := range w.Parameters {
			if p.Doc == "" || p.Type == nil || p.Type.Name == "" || p.Type.Accepted == "" {
				t.Errorf("%s: %s is not documented", w.Name, p.Name)
			}
			if p.Required && p.Default != nil {
				t.Errorf("%s: %s is required and has a default", w.Name, p.Name)
			}
			if named && p.Positional {
				t.Errorf("%s: %s may stand without its name behind one that may not", w.Name, p.Name)
			}
			named = named || !p.Positional && !p.Rest
		}
	}
}

// TestDefaultsAreThePlans holds the defaults that the table documents to those that package plan gives to what is left
// out altogether.
func TestDefaultsAreThePlans(t *testing.T) {
	t.Parallel()
	p, list := interp.EvaluateBytes("x.star", []byte(`
service(name = "a", command = ["/x"], restart = restart(), stop = stop(), limits = limits(), logs = logs(), env = {}, prepare = [], probes = [], after = [], user = None)
service(name = "b", command = ["/x"])
`), interp.Options{})
	if p == nil {
		t.Fatal(list)
	}
	a, b := p.Services[0], p.Services[1]
	if a.Restart != b.Restart || a.Stop != b.Stop || a.Logs != b.Logs || a.Limits != b.Limits {
		t.Errorf("written out %+v\nleft out %+v", a, b)
	}
	if b.Restart != plan.DefaultRestart() || b.Stop != plan.DefaultStop() || b.Logs != plan.DefaultLogs() {
		t.Errorf("the defaults are %+v", b)
	}
}

// TestDefaultsAreAccepted reads every default of the table by its own type, where the word can be called at all.
func TestDefaultsAreAccepted(t *testing.T) {
	t.Parallel()
	for _, w := range builtins.Words() {
		for _, p := range w.Parameters {
			if p.Default == nil {
				continue
			}
			src := w.Name + "(" + p.Name + " = " + p.DefaultText() + ")\n"
			_, list := interp.EvaluateBytes("x.star", []byte(src), interp.Options{})
			for _, d := range list {
				if d.Severity == diag.Error && d.Code != plan.CodeMissing && d.Code != interp.CodeNothing {
					t.Errorf("%s: %s", src, d)
				}
			}
		}
	}
}

// TestModesAreShownInOctal keeps documentation from saying 420.
func TestModesAreShownInOctal(t *testing.T) {
	t.Parallel()
	p := builtins.Parameter{Default: starlark.MakeInt(10)}
	if p.DefaultText() != "10" {
		t.Errorf("a number is shown as %s", p.DefaultText())
	}
	for _, w := range builtins.Words() {
		for _, p := range w.Parameters {
			if p.Name == "mode" && p.Default != nil && !strings.HasPrefix(p.DefaultText(), "0o") {
				t.Errorf("%s: the mode is %s", w.Name, p.DefaultText())
			}
		}
	}
}

// TestSpecTables holds the words in SPEC.md to the tables; -update writes them.
func TestSpecTables(t *testing.T) {
	const path = "../SPEC.md"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, table := range []struct {
		name  string
		words []builtins.Word
	}{{"words", builtins.Words()}, {"test-words", builtins.AllTestWords()}} {
		opening, closing := "<!-- "+table.name+" -->\n", "<!-- /"+table.name+" -->"
		before, rest, opened := strings.Cut(text, opening)
		_, after, closed := strings.Cut(rest, closing)
		if !opened || !closed {
			t.Fatalf("SPEC.md has no %s ... %s", strings.TrimSpace(opening), closing)
		}
		text = before + opening + builtins.Markdown(table.words) + closing + after
	}
	switch {
	case text == string(data):
	case !*update:
		t.Fatalf("SPEC.md shows other words than the tables; `go test ./builtins -update` writes them")
	default:
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
