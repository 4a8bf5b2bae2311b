package interp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"recipe/builtins/diag"
)

// TestExamplesEarnTheirCodes evaluates every example: it gives its code and no other error, its mend gives neither. Of a
// fragment that declares nothing only that is said.
func TestExamplesEarnTheirCodes(t *testing.T) {
	t.Parallel()
	for _, e := range Explanations() {
		t.Run(e.Code, func(t *testing.T) {
			t.Parallel()
			if e.Reason == "" || e.Mend == "" {
				t.Error("without a reason or a mend")
			}
			if e.Says != "" {
				return
			}
			wrong, mended := Try(e.Example), Try(e.Mend)
			own := func(d diag.Diagnostic) bool { return d.Code == e.Code }
			other := func(d diag.Diagnostic) bool { return d.Severity == diag.Error && d.Code != e.Code }
			if !slices.ContainsFunc(wrong, own) || slices.ContainsFunc(wrong, other) {
				t.Errorf("the example gives\n%s", wrong)
			}
			fragment := func(d diag.Diagnostic) bool { return d.Code == CodeNothing }
			if rest := slices.DeleteFunc(mended, fragment); slices.ContainsFunc(mended, own) || rest.Failed() {
				t.Errorf("the mend gives\n%s", mended)
			}
		})
	}
}

// TestEveryCodeIsExplained compares the table with the constants named Code... of the packages that make diagnostics.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{}
	for _, e := range Explanations() {
		if explained[e.Code] {
			t.Errorf("%s is explained twice", e.Code)
		}
		explained[e.Code] = true
	}
	for _, dir := range []string{".", "parse", "../builtins", "../runtime/plan", "../runtime/plan/lint"} {
		for name, value := range codesIn(t, dir) {
			if !explained[value] {
				t.Errorf("%s in %s: no explanation of %q", name, dir, value)
			}
			delete(explained, value)
		}
	}
	for code := range explained {
		t.Errorf("%q is explained, and no constant of the program is it", code)
	}
}

// codesIn are the constants of a folder whose names begin with Code and whose values are written out.
func codesIn(t *testing.T, dir string) map[string]string {
	codes := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i >= len(n.Values) || !strings.HasPrefix(name.Name, "Code") {
						continue
					}
					if literal, ok := n.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
						codes[name.Name], _ = strconv.Unquote(literal.Value)
					}
				}
			case *ast.KeyValueExpr:
				key, ok := n.Key.(*ast.Ident)
				if literal, written := n.Value.(*ast.BasicLit); ok && written && key.Name == "Code" && !strings.HasSuffix(path, "_test.go") {
					t.Errorf("%s: a code is written out, %s: give it a constant", path, literal.Value)
				}
			}
			return true
		})
	}
	return codes
}
