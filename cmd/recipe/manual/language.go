package manual

import (
	"strings"

	"recipe/builtins"
	"recipe/stdlib"
)

// Language is recipe(5): what a recipe is written in, every word of it, and what the standard library has.
func Language(words []builtins.Word, library []stdlib.Module) []byte {
	p := newPage("recipe", 5, "the file that describes a service")
	p.heading("DESCRIPTION")
	p.text(`A recipe is a Starlark file. Sets and control flow at the top level are on; while, recursion and giving a global another value are off.

Declarations are calls by keyword; they return handles, which stand for a path wherever one is wanted. Only the recipe declares, itself or by functions that it calls; modules export functions and values. load("x.star", ...) is relative to the loading file, load("//x.star", ...) to the recipe's folder, which no load leaves; load("@std//x.star", ...) is the standard library.

Durations are a whole number and ms, s, m, h or d; sizes a whole number and B, KiB, MiB, GiB or TiB. A flag or a fact of the host has its value on the host where the service starts: it can be computed with and formatted, not branched on.

recipe doc WORD explains one word, recipe explain CODE the code of a diagnostic.`)
	p.heading("WORDS")
	for i := range words {
		p.word(&words[i])
	}
	p.heading("STANDARD LIBRARY")
	p.text("recipe doc FUNCTION explains one function.")
	for _, m := range library {
		p.subheading(m.Name)
		p.text(stdlib.Summary(m.Doc))
		for _, f := range m.Functions {
			p.item(f.Signature, stdlib.Summary(f.Doc))
		}
	}
	p.heading("SEE ALSO")
	p.text("recipe(1)")
	return p.bytes()
}

func (p *page) word(w *builtins.Word) {
	p.subheading(w.Signature())
	p.text(w.Doc)
	if w.Declares {
		p.text("A declaration.")
	}
	for i := range w.Parameters {
		q := &w.Parameters[i]
		p.item(q.Name+" ("+q.Type.Name+")", meaning(q))
	}
	if w.Example != "" {
		p.text("For example:")
		p.example(w.Example)
	}
}

func meaning(q *builtins.Parameter) string {
	var parts []string
	for _, text := range []string{q.Doc, strings.Join(q.Choices, ", ")} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	switch {
	case q.Required:
		parts = append(parts, "required")
	case !q.Rest && q.DefaultText() != "":
		parts = append(parts, "default "+q.DefaultText())
	}
	return strings.Join(parts, "; ")
}
