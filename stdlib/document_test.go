package stdlib_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/stdlib"
)

var update = flag.Bool("update", false, "rewrite the table of modules in SPEC.md")

func documented(t *testing.T) []stdlib.Module {
	t.Helper()
	modules, err := stdlib.Modules()
	if err != nil || len(modules) == 0 {
		t.Fatal(modules, err)
	}
	return modules
}

// TestEveryFunctionIsDocumented holds each module and each function to a docstring, which names every parameter, and to a
// name that is neither a word's nor another function's.
func TestEveryFunctionIsDocumented(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{}
	for _, w := range builtins.Words() {
		taken[w.Name] = true
	}
	for _, m := range documented(t) {
		if m.Doc == "" || len(m.Functions) == 0 {
			t.Errorf("%s has no docstring, or no functions", m.Name)
		}
		for _, f := range m.Functions {
			if taken[f.Name] {
				t.Errorf("%s: %s is the name of something else too", m.Name, f.Name)
			}
			taken[f.Name] = true
			if f.Doc == "" || !regexp.MustCompile(`\b`+f.Name+`\(`).MatchString(f.Example) {
				t.Errorf("%s: %s has no docstring, or no example that shows it", m.Name, f.Name)
			}
			for _, p := range parameters(f.Signature) {
				if !strings.Contains(f.Doc, "\n    "+p+": ") {
					t.Errorf("%s: %s does not document %s", m.Name, f.Name, p)
				}
			}
		}
	}
}

// parameters are the names in a signature, with their stars.
func parameters(signature string) []string {
	_, list, _ := strings.Cut(strings.TrimSuffix(signature, ")"), "(")
	var names []string
	for _, p := range regexp.MustCompile(`\[[^]]*\]|"[^"]*"`).Split(list, -1) {
		for _, one := range strings.Split(p, ",") {
			if name := strings.TrimSpace(strings.Split(one, "=")[0]); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// TestExamplesOfTheLibrary evaluates the example of every function, which must be without a mistake.
func TestExamplesOfTheLibrary(t *testing.T) {
	t.Parallel()
	for _, m := range documented(t) {
		for _, f := range m.Functions {
			_, list := interp.EvaluateBytes(f.Name+".star", []byte(f.Example+"\n"), interp.Options{})
			for _, d := range list {
				if d.Code != interp.CodeNothing && d.Severity == diag.Error {
					t.Errorf("%s: %s", m.Name, d)
				}
			}
		}
	}
}

// TestSpecNamesTheLibrary holds SPEC.md's table to the modules.
func TestSpecNamesTheLibrary(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../SPEC.md", "<!-- library -->\n", "<!-- /library -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("SPEC.md has no %s", begin)
	}
	var b strings.Builder
	b.WriteString("\n| module | functions | |\n|---|---|---|\n")
	for _, m := range documented(t) {
		var names []string
		for _, f := range m.Functions {
			names = append(names, "`"+f.Name+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.Name, strings.Join(names, ", "), stdlib.Summary(m.Doc))
	}
	b.WriteString("\n")
	switch {
	case old == b.String():
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("SPEC.md's table of the library is not that of its docstrings: go test ./stdlib -update")
	}
}
