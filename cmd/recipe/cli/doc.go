package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"recipe/builtins"
	"recipe/cmd/recipe/manual"
	"recipe/runtime/plan"
	"recipe/stdlib"
)

type docCommand struct {
	Word   string `arg:"" optional:"" help:"A word, or a module or function of the standard library; all are listed without one."`
	JSON   bool   `name:"json" xor:"form" help:"Print JSON."`
	Man    int    `xor:"form" placeholder:"1|5" help:"Print a manual page: 1 is that of the command line, 5 that of the language."`
	Schema bool   `xor:"form" help:"Print the JSON Schema of a plan."`
}

// wordJSON is a word as programs read it.
type wordJSON struct {
	Name       string          `json:"name"`
	Doc        string          `json:"doc"`
	Example    string          `json:"example,omitempty"`
	Declares   bool            `json:"declares"`
	Test       bool            `json:"test,omitempty"` // in test files alone
	Parameters []parameterJSON `json:"parameters"`
}

// docJSON is what is documented.
type docJSON struct {
	Words   []wordJSON      `json:"words"`
	Modules []stdlib.Module `json:"modules,omitempty"`
}

// parameterJSON has its default in the recipe's notation.
type parameterJSON struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Accepted   string   `json:"accepted,omitempty"`
	Doc        string   `json:"doc,omitempty"`
	Default    string   `json:"default,omitempty"`
	Choices    []string `json:"choices,omitempty"`
	Required   bool     `json:"required"`
	Positional bool     `json:"positional"`
	Rest       bool     `json:"rest"`
}

// Run lists words and modules, or explains one.
func (c *docCommand) Run(s *Streams, app *kong.Application) error {
	words, tests := builtins.Words(), builtins.AllTestWords()
	modules, err := stdlib.Modules()
	if err != nil {
		return err
	}
	if c.Word == "" && (c.Man != 0 || c.Schema) {
		return c.whole(s, app, words, modules)
	}
	if c.Man != 0 || c.Schema {
		return usagef("--man and --schema take no word")
	}
	if c.Word != "" {
		if found := libraryOf(modules, c.Word); found != nil && c.JSON {
			return printJSON(s.Out, docJSON{[]wordJSON{}, []stdlib.Module{*found}})
		} else if found != nil {
			_, err := io.WriteString(s.Out, libraryText(found, c.Word))
			return err
		}
		word, err := findWord(slices.Concat(words, tests), modules, c.Word)
		if err != nil {
			return err
		}
		words, tests, modules = []builtins.Word{word}, nil, nil
	}
	switch {
	case c.JSON:
		return printJSON(s.Out, docJSON{wordsJSON(slices.Concat(words, tests)), modules})
	case c.Word == "":
		listWords(s.Out, words)
		fmt.Fprint(s.Out, "\nin test files besides:\n\n")
		listWords(s.Out, tests)
		fmt.Fprint(s.Out, "\nin the standard library:\n\n")
		listModules(s.Out, modules)
	default:
		explainWord(s.Out, &words[0])
	}
	return nil
}

// whole prints what documents more than a word.
func (c *docCommand) whole(s *Streams, app *kong.Application, words []builtins.Word, modules []stdlib.Module) error {
	var text []byte
	var err error
	switch {
	case c.Schema:
		text, err = plan.Schema()
	case c.Man == 1:
		text = manual.Commands(app)
	case c.Man == 5:
		text = manual.Language(words, modules)
	default:
		return usagef("there is no manual page %d: 1 is that of the command line, 5 that of the language", c.Man)
	}
	if err == nil {
		_, err = s.Out.Write(text)
	}
	return err
}

func findWord(words []builtins.Word, modules []stdlib.Module, name string) (builtins.Word, error) {
	var names []string
	for _, w := range words {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	for _, m := range modules {
		names = append(names, m.Name)
		for _, f := range m.Functions {
			names = append(names, f.Name)
		}
	}
	hint := plan.Nearest(name, names)
	if hint == "" {
		hint = "`recipe doc` lists the words"
	}
	return builtins.Word{}, fmt.Errorf("the language has no word %q; %s", name, hint)
}

// listWords prints the name and the first sentence of each.
func listWords(out io.Writer, words []builtins.Word) {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i := range words {
		first, _, _ := strings.Cut(words[i].Doc, ". ")
		fmt.Fprintf(w, "%s\t%s.\n", words[i].Name, strings.TrimSuffix(first, "."))
	}
	w.Flush()
	out.Write(b.Bytes())
}

func explainWord(out io.Writer, word *builtins.Word) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n%s\n", signature(word), word.Doc)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i := range word.Parameters {
		if i == 0 {
			fmt.Fprintln(w)
		}
		p := &word.Parameters[i]
		fmt.Fprintf(w, "  %s\t%s\t%s\n", p.Name, p.Type.Name, parameterText(p))
	}
	w.Flush()
	if word.Example != "" {
		fmt.Fprintf(&b, "\n    %s\n", strings.ReplaceAll(word.Example, "\n", "\n    "))
	}
	out.Write(b.Bytes())
}

// signature is the word with its parameters as a call shows them: those that may stand without a name first.
func signature(word *builtins.Word) string {
	if len(word.Parameters) == 0 {
		return word.Name
	}
	var parts []string
	named := false
	for i := range word.Parameters {
		p := &word.Parameters[i]
		if !p.Positional && !p.Rest && !named {
			parts, named = append(parts, "*"), true
		}
		switch {
		case p.Rest:
			parts = append(parts, "*"+p.Name)
		case p.Required:
			parts = append(parts, p.Name)
		default:
			parts = append(parts, p.Name+" = "+cmp.Or(p.DefaultText(), "None"))
		}
	}
	return word.Name + "(" + strings.Join(parts, ", ") + ")"
}

func parameterText(p *builtins.Parameter) string {
	var parts []string
	for _, text := range []string{p.Doc, strings.Join(p.Choices, ", ")} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if p.Required {
		parts = append(parts, "required")
	}
	return strings.Join(parts, "; ")
}

func wordsJSON(words []builtins.Word) []wordJSON {
	all := []wordJSON{}
	for i := range words {
		w := &words[i]
		j := wordJSON{Test: w.InTests, Name: w.Name, Doc: w.Doc, Example: w.Example, Declares: w.Declares, Parameters: []parameterJSON{}}
		for k := range w.Parameters {
			p := &w.Parameters[k]
			q := parameterJSON{Name: p.Name, Type: p.Type.Name, Accepted: p.Type.Accepted, Doc: p.Doc, Choices: p.Choices,
				Required: p.Required, Positional: p.Positional, Rest: p.Rest}
			if !p.Required && !p.Rest {
				q.Default = cmp.Or(p.DefaultText(), "None")
			}
			j.Parameters = append(j.Parameters, q)
		}
		all = append(all, j)
	}
	return all
}
