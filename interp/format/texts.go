package format

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"
)

// sign stands around the number of a text or bytes literal while the layout is made: a character of the private use
// area. The layout's own notion of quotes knows neither bytes nor every escape.
const sign = "\uE0B5"

// edit replaces a stretch of a source.
type edit struct {
	start, end int // bytes
	text       string
}

// mask returns the source with numbered stand-ins for its texts and bytes, and these, requoted. Where the layout's grammar
// is not that of the language, parentheses say what is meant: not (a in b), and a, (b if c else d).
func mask(source []byte, file *syntax.File) ([]byte, []string, error) {
	if bytes.Contains(source, []byte(sign)) {
		return nil, nil, fmt.Errorf("it holds the character U+E0B5, which stands for texts meanwhile")
	}
	where := offsets(source)
	parentheses := func(n syntax.Node) []edit {
		start, end := where(syntax.Start(n)), where(syntax.End(n))
		return []edit{{start, start, "("}, {end, end, ")"}}
	}
	var texts []string
	var edits []edit
	for _, l := range literals(file) {
		start := where(l.TokenPos)
		if !bytes.HasPrefix(source[start:], []byte(l.Raw)) {
			return nil, nil, fmt.Errorf("the text in line %d is not where it was read", l.TokenPos.Line)
		}
		edits = append(edits, edit{start, start + len(l.Raw), fmt.Sprintf(`"%s%d%s"`, sign, len(texts), sign)})
		texts = append(texts, requoted(l.Raw))
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Literal:
			if n.Token == syntax.INT || n.Token == syntax.FLOAT {
				end := where(n.TokenPos) + len(n.Raw)
				edits = append(edits, edit{end, end, " "}) // 1if x is read as 1 if x, though not by the layout
			}
		case *syntax.UnaryExpr:
			if _, ok := n.X.(*syntax.BinaryExpr); ok && n.Op == syntax.NOT {
				edits = append(edits, parentheses(n.X)...)
			}
		case *syntax.TupleExpr:
			for _, x := range n.List {
				if _, ok := x.(*syntax.CondExpr); ok && !n.Lparen.IsValid() {
					edits = append(edits, parentheses(x)...)
				}
			}
		}
		return true
	})
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	var masked bytes.Buffer
	done := 0
	for _, e := range edits {
		masked.Write(source[done:e.start])
		masked.WriteString(e.text)
		done = e.end
	}
	masked.Write(source[done:])
	return untabbed(masked.Bytes()), texts, nil
}

// untabbed indents by spaces alone: a tab reaches to the next multiple of 8 columns, as the language has it.
func untabbed(masked []byte) []byte {
	lines := bytes.SplitAfter(masked, []byte("\n"))
	for i, line := range lines {
		rest := bytes.TrimLeft(line, " \t")
		width := 0
		for _, c := range line[:len(line)-len(rest)] {
			if width++; c == '\t' {
				width = (width + 7) / 8 * 8
			}
		}
		lines[i] = append(bytes.Repeat([]byte(" "), width), rest...)
	}
	return bytes.Join(lines, nil)
}

// unmask puts the texts back.
func unmask(masked []byte, texts []string) ([]byte, error) {
	parts := strings.Split(string(masked), sign)
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 0 {
			b.WriteString(strings.TrimPrefix(strings.TrimSuffix(part, `"`), `"`))
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n >= len(texts) {
			return nil, fmt.Errorf("a text was lost")
		}
		b.WriteString(texts[n])
	}
	return []byte(b.String()), nil
}

// literals are the texts and bytes of a file by place.
func literals(file *syntax.File) []*syntax.Literal {
	var list []*syntax.Literal
	syntax.Walk(file, func(n syntax.Node) bool {
		if l, ok := n.(*syntax.Literal); ok && (l.Token == syntax.STRING || l.Token == syntax.BYTES) {
			list = append(list, l)
		}
		return true
	})
	slices.SortFunc(list, func(a, b *syntax.Literal) int {
		return cmp.Or(cmp.Compare(a.TokenPos.Line, b.TokenPos.Line), cmp.Compare(a.TokenPos.Col, b.TokenPos.Col))
	})
	return list
}

// requoted gives a literal double quotes where none of its characters is in their way.
func requoted(raw string) string {
	prefix := raw[:strings.IndexAny(raw, `"'`)]
	quote := raw[len(prefix) : len(prefix)+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(raw[len(prefix):], triple) && len(raw) > len(prefix)+3 {
		quote = triple
	}
	text := raw[len(prefix)+len(quote) : len(raw)-len(quote)]
	if strings.ContainsAny(text, `"'\`) {
		return raw
	}
	quote = strings.ReplaceAll(quote, "'", `"`)
	return prefix + quote + text + quote
}

// offsets finds the byte that a position names.
func offsets(source []byte) func(syntax.Position) int {
	starts := []int{0}
	for i, c := range source {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return func(pos syntax.Position) int {
		at := starts[pos.Line-1]
		for range pos.Col - 1 { // columns count characters
			_, size := utf8.DecodeRune(source[at:])
			at += size
		}
		return at
	}
}
