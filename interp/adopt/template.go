package adopt

import (
	"bytes"
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"recipe/interp"
)

//go:embed template.star
var template string

// Template is a recipe for a daemon called name, to be filled in.
func Template(name string) string {
	return strings.ReplaceAll(template, "NAME", plainName(name))
}

// Renamed is a recipe with another name in the place of its own, in texts alone, where it stands as a word. A source
// that cannot be read stays as it is.
func Renamed(source []byte, from, to string) []byte {
	file, _ := interp.Parse("recipe", source)
	if file == nil {
		return source
	}
	word := regexp.MustCompile(`(^|[^A-Za-z0-9_])` + regexp.QuoteMeta(from) + `($|[^A-Za-z0-9_])`)
	starts := []int{0}
	for i, c := range source {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	var literals []*syntax.Literal
	syntax.Walk(file, func(n syntax.Node) bool {
		_, loads := n.(*syntax.LoadStmt)
		if l, ok := n.(*syntax.Literal); ok && l.Token == syntax.STRING {
			literals = append(literals, l)
		}
		return !loads
	})
	slices.SortFunc(literals, func(a, b *syntax.Literal) int {
		if a.TokenPos.Line != b.TokenPos.Line {
			return int(a.TokenPos.Line - b.TokenPos.Line)
		}
		return int(a.TokenPos.Col - b.TokenPos.Col)
	})
	var out bytes.Buffer
	done := 0
	for _, l := range literals {
		start := starts[l.TokenPos.Line-1]
		for range l.TokenPos.Col - 1 {
			_, size := utf8.DecodeRune(source[start:])
			start += size
		}
		end := start + len(l.Raw)
		if start < done || end > len(source) || string(source[start:end]) != l.Raw {
			continue
		}
		text := l.Raw
		for range 2 { // of two that share what is between them, the second is found the second time
			text = word.ReplaceAllString(text, "${1}"+to+"${2}")
		}
		out.Write(source[done:start])
		out.WriteString(text)
		done = end
	}
	out.Write(source[done:])
	return out.Bytes()
}
