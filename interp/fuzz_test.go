package interp

import (
	"os"
	"path/filepath"
	"testing"
	"unicode"

	"github.com/rogpeppe/go-internal/txtar"

	"recipe/builtins"
)

// FuzzEvaluate feeds source text to the evaluation. It must not panic, must give either a plan or an error, and its
// diagnostics must be free of control characters and bounded; a plan must be one that can be encoded and read again.
func FuzzEvaluate(f *testing.F) {
	for _, w := range builtins.Words() {
		f.Add(w.Example + "\n")
	}
	paths, _ := filepath.Glob("testdata/mistakes/*.txtar")
	for _, path := range append(paths, "testdata/foo.star") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
		for _, file := range txtar.Parse(data).Files {
			f.Add(string(file.Data))
		}
	}
	f.Add("x = \"\x1b[31m\u202e\"\nx = 1")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src string) {
		p, list := EvaluateBytes(filepath.Join(dir, "x.star"), []byte(src), Options{Steps: 20_000})
		if (p == nil) != list.Failed() {
			t.Fatalf("plan: %v\n%s", p, list)
		}
		for _, text := range []string{list.String(), string(list.JSON())} {
			if len(text) > 500_000 {
				t.Errorf("%d bytes of diagnostics", len(text))
			}
			for _, r := range text {
				if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
					t.Errorf("diagnostics with %U:\n%q", r, text)
				}
			}
		}
		if p == nil {
			return
		}
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, list := EvaluateBytes("x.json", data, Options{}); list.Failed() {
			t.Errorf("its own plan is refused:\n%s\n%s", list, data)
		}
	})
}
