package interp

import (
	"io/fs"
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
				e.Says = Try(e.Example).String()
			}
			return e, true
		}
	}
	return Explanation{}, false
}

// Try evaluates an example. A plan's JSON is called recipe.json, anything else recipe.star.
func Try(example string) diag.List {
	name := "recipe.star"
	if strings.HasPrefix(example, "{") {
		name = "recipe.json"
	}
	archive := txtar.Parse([]byte(strings.TrimSpace(example) + "\n"))
	files := exampleFiles{}
	for _, f := range archive.Files {
		files[f.Name] = f.Data
	}
	_, list := EvaluateBytes(name, archive.Comment, Options{Files: files})
	return list
}

// exampleFiles are the modules that an example loads.
type exampleFiles map[string][]byte

// Read gives a module.
func (f exampleFiles) Read(key string, most int) ([]byte, error) {
	data, ok := f[key]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data[:min(len(data), most)], nil
}

// Names lists nothing: an example has no folders to look for a name in.
func (f exampleFiles) Names(string) []string { return nil }
