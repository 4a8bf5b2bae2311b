package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"recipe/stdlib"
)

// libraryOf is the module of that name, or one with nothing but the function of that name; nil where there is neither.
func libraryOf(modules []stdlib.Module, name string) *stdlib.Module {
	for i := range modules {
		m := modules[i]
		if m.Name == name {
			return &m
		}
		for _, f := range m.Functions {
			if f.Name == name {
				m.Functions = []stdlib.Function{f}
				return &m
			}
		}
	}
	return nil
}

// libraryText explains a module or, where another name was asked for, its one function.
func libraryText(m *stdlib.Module, asked string) string {
	if asked != m.Name {
		f := m.Functions[0]
		example := strings.ReplaceAll(strings.ReplaceAll(f.Example, "\n", "\n    "), "\n    \n", "\n\n")
		return fmt.Sprintf("%s\n\n%s\n\n    %s\n", f.Signature, f.Doc, example)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n", m.Name, m.Doc)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range m.Functions {
		fmt.Fprintf(w, "%s\t%s\n", f.Name, stdlib.Summary(f.Doc))
	}
	w.Flush()
	return b.String()
}

// listModules prints the name and the first sentence of each.
func listModules(out io.Writer, modules []stdlib.Module) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range modules {
		fmt.Fprintf(w, "%s\t%s\n", m.Name, stdlib.Summary(m.Doc))
	}
	w.Flush()
}
