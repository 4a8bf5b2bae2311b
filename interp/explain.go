package interp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"recipe/builtins/diag"
)

// Explanation is what `recipe explain CODE` says: why the code exists, a recipe that earns it, and what to write instead.
// A recipe that needs other files has them below it, each under a line "-- NAME --". Says is what the program says of
// the example, as Explain fills it in; it is written out only where no evaluation can show it, and Example is then a
// command or nothing.
type Explanation struct {
	Code    string `json:"code"`
	Reason  string `json:"reason"`
	Example string `json:"example"`
	Says    string `json:"says,omitempty"`
	Mend    string `json:"mend"`
}

// Explanations lists every code that a diagnostic can have, in the order of an author's acquaintance with them. To add
// one: an entry in the table of its topic, explain_*.go; a test evaluates the example and the mend.
func Explanations() []Explanation {
	return slices.Concat(explainSources(), explainCalls(), explainPlans(), explainLints(), explainTests())
}

// Explain gives the explanation of a code, and what the program says of its example.
func Explain(code string) (Explanation, bool) {
	for _, e := range Explanations() {
		if e.Code == code {
			if e.Says == "" {
				list, err := Try(e.Example)
				if e.Says = list.String(); err != nil {
					e.Says = err.Error()
				}
			}
			return e, true
		}
	}
	return Explanation{}, false
}

// Try evaluates an example in a folder of its own. A plan's JSON is recipe.json there, anything else recipe.star.
func Try(example string) (diag.List, error) {
	dir, err := os.MkdirTemp("", "recipe-example-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	name := "recipe.star"
	if strings.HasPrefix(example, "{") {
		name = "recipe.json"
	}
	archive := txtar.Parse([]byte(strings.TrimSpace(example) + "\n"))
	for _, f := range append(archive.Files, txtar.File{Name: name, Data: archive.Comment}) {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return nil, err
		}
	}
	_, list := Evaluate(filepath.Join(dir, name), Options{})
	return list.Below(dir), nil
}
