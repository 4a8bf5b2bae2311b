package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
)

// Signature is the word as documentation shows it: what may stand without a name first, then what must be named, then
// whether more can be.
func (w *Word) Signature() string {
	if w.run == nil {
		return w.Name
	}
	var parts []string
	optional := false
	for i := range w.Parameters {
		switch p := &w.Parameters[i]; {
		case p.Rest:
			parts = append(parts, "*"+p.Name)
		case p.Positional && p.Required:
			parts = append(parts, p.Name)
		case p.Required:
			parts = append(parts, p.Name+" =")
		default:
			optional = true
		}
	}
	if optional {
		parts = append(parts, "...")
	}
	return w.Name + "(" + strings.Join(parts, ", ") + ")"
}

// DefaultText is the default as a recipe writes it, or "" when there is none.
func (p *Parameter) DefaultText() string {
	switch {
	case p.Default == nil || p.Required:
		return ""
	case p.Type == modeType:
		n, _ := starlark.AsInt32(p.Default)
		return fmt.Sprintf("0o%o", n)
	}
	return p.Default.String()
}

// Markdown is a table of words for SPEC.md, and the same bytes each time.
func Markdown(words []Word) string {
	var b strings.Builder
	for i := range words {
		words[i].markdown(&b)
	}
	return b.String()
}

func (w *Word) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "#### `%s`\n\n%s", w.Signature(), w.Doc)
	if w.Declares {
		b.WriteString(" A declaration.")
	}
	fmt.Fprintf(b, "\n\n```python\n%s\n```\n\n", w.Example)
	if len(w.Parameters) == 0 {
		return
	}
	b.WriteString("| parameter | takes | default | |\n|---|---|---|---|\n")
	for i := range w.Parameters {
		w.Parameters[i].markdown(b)
	}
	b.WriteByte('\n')
}

func (p *Parameter) markdown(b *strings.Builder) {
	name, value, doc := "`"+p.Name+"`", "", p.Doc
	switch {
	case p.Rest:
		name = "`*" + p.Name + "`"
	case p.Required:
		value = "required"
	case p.Default != nil:
		value = "`" + p.DefaultText() + "`"
	}
	if len(p.Choices) > 1 {
		doc += ": " + strings.Join(p.Choices, ", ")
	}
	if !p.Positional && !p.Rest {
		name += " ="
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, p.Type.Name, value, cell(doc))
}

// cell keeps a text inside its cell.
func cell(text string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text) }
