package parse

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"go.starlark.net/syntax"
)

func dialect() *syntax.FileOptions { return &syntax.FileOptions{Set: true, TopLevelControl: true} }

// TestStatementsAreReadEachByItself lists what is read of texts with statements that cannot be.
func TestStatementsAreReadEachByItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		kept       int // statements of the tree; -1 where there is no tree
		problems   string
	}{
		{"all is well", "x = 1\ny = 2\n", 2, ""},
		{"one in the middle", "x = 1\ny = (\nz = 3\n", 2, "2:5"},
		{"two", "f(a b)\nx = 1\ng(c d)\n", 1, "1:4 3:4"},
		{"a body is of its statement", "def f()\n    return 1\n\ny = 2\n", 1, "1:8"},
		{"else is of its if", "x = 1\nif x:\n    y = 1\nelse\n    y = 2\n", -1, "4:5"},
		{"what a statement changes is not known", "x = []\nx.append(1 2)\ny = x\n", -1, "2:11"},
		{"a text of several lines", "x = \"\"\"\ny = (\n\"\"\"\nz = )\n", 1, "4:5"},
		{"a bracket that nothing closes", "f(\n    a = 1,\n\ndef g():\n    pass\n", 1, "1:2"},
		{"arguments at the margin are no statements", "f(\na = 1,\nb = [,\nc = 3,\n)\n", 0, "3:6"},
		{"everything", "(\n", 0, "1:1"},
		{"nothing", "", 0, ""},
		{"carriage returns", "x = 1\r\ny = (\r\nz = 3\r\n", 2, "2:5"},
		{"lines that go on", "x = 1 + \\\ny\nz = (\n", 1, "3:5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := File(dialect(), "x.star", c.text, 0)
			var at []string
			for _, p := range r.Problems {
				at = append(at, fmt.Sprintf("%d:%d", p.At.Line, p.At.Column))
			}
			kept := -1
			if r.File != nil {
				kept = len(r.File.Stmts)
			}
			if got := strings.Join(at, " "); got != c.problems || kept != c.kept {
				t.Errorf("%d statements and problems at %q, not %d and %q: %v", kept, got, c.kept, c.problems, r.Problems)
			}
		})
	}
}

// TestPlacesStayWhereTheyWere: what is left out leaves its lines.
func TestPlacesStayWhereTheyWere(t *testing.T) {
	t.Parallel()
	r := File(dialect(), "x.star", "a = (\nb = 1\n", 0)
	if r.File == nil || len(r.File.Stmts) != 1 {
		t.Fatal(r)
	}
	if start, _ := r.File.Stmts[0].Span(); start.Line != 2 || !r.Lost["a"] || r.Lost["b"] {
		t.Errorf("at %v, lost %v", start, r.Lost)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`f(x="a\"b", 10s)`:     `f¦(¦x¦=¦"a\"b"¦,¦10s¦)`,
		"a&&b||c=>d->e:=f":     "a¦&&¦b¦||¦c¦=>¦d¦->¦e¦:=¦f",
		"x # y\nz":             "x¦z",
		"'''a\nb'''c":          "'''a\nb'''¦c",
		`rb"\" r'x`:            `rb"\" r'x`,
		"\"open\nnext":         "\"open¦next",
		"größe = “x”":          "größe¦=¦“¦x¦”",
		"\"\"\"never \"closed": "\"\"\"never \"closed",
		"a\\\nb":               "a¦\\¦b",
	} {
		var got []string
		for _, token := range scan(text) {
			got = append(got, token.text)
		}
		if strings.Join(got, "¦") != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// FuzzFile wants of every text a tree or a problem with a place in it, and no word of the parser's own.
func FuzzFile(f *testing.F) {
	paths, _ := filepath.Glob("../testdata/mistakes/*.txtar")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if archive := txtar.Parse(data); len(archive.Files) > 0 {
			f.Add(string(archive.Files[0].Data))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "\r", "\n")
		r := File(dialect(), "x.star", text, 0)
		if r.File == nil && len(r.Problems) == 0 {
			t.Fatal("neither a tree nor a problem")
		}
		lines := strings.Split(text, "\n")
		for _, p := range r.Problems {
			if p.At.Line < 1 || p.At.Line > len(lines)+1 || p.At.Column < 1 || p.Message == "" || p.Code == "" || p.At.File != "x.star" {
				t.Errorf("%+v", p)
			}
			if p.At.Line <= len(lines) && p.At.Column > utf8.RuneCountInString(lines[p.At.Line-1])+2 {
				t.Errorf("behind its line: %+v", p)
			}
		}
		if len(r.Problems) > mostProblems+1 {
			t.Errorf("%d problems", len(r.Problems))
		}
	})
}

// BenchmarkFaultyFile reads 2,000 statements of which every second cannot be read.
func BenchmarkFaultyFile(b *testing.B) {
	text := strings.Repeat("x = f(a b)\ny = [1, 2, 3]\n", 1000)
	for b.Loop() {
		File(dialect(), "x.star", text, 0)
	}
}
