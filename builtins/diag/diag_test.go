package diag

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "rewrite the golden file")

func span(line, column, endLine, endColumn int) Span {
	return Span{File: "a.star", Line: line, Column: column, EndLine: endLine, EndColumn: endColumn}
}

// sample is a list with one of each difficulty.
func sample() List {
	return List{
		{Severity: Error, Code: "plain", At: span(3, 5, 3, 8), Word: "service", Message: "says what", Source: "abc(def)", Found: "x", Accepted: "y", Hint: "z",
			Chain: []Frame{{"f called", span(9, 1, 9, 2)}, {"g called", Span{File: "b.star", Line: 2}}}},
		{Severity: Warning, Code: "file", At: Span{File: "a.star"}, Message: "no place in the file"},
		{Severity: Note, Code: "nowhere", Message: "no file"},
		{Severity: Error, Code: "tabs", At: span(1, 3, 1, 4), Message: "behind tabs", Source: "\t\tx\ty"},
		{Severity: Error, Code: "wide", At: span(1, 8, 1, 9), Message: "behind wide and combining ones", Source: "日本e\u0301語🎉 x y"},
		{Severity: Error, Code: "lines", At: span(1, 3, 4, 2), Message: "over several lines", Source: "f([   "},
		{Severity: Error, Code: "end", At: span(1, 4, 1, 5), Message: "behind the end", Source: "abc"},
		{Severity: Error, Code: "beyond", At: span(1, 400, 1, 500), Message: "far behind the end", Source: "abc"},
		{Severity: Error, Code: "long", At: span(1, 5001, 1, 5004), Message: strings.Repeat("m", 1000), Source: strings.Repeat("x", 5000) + "abc" + strings.Repeat("y", 5000)},
		{Severity: Error, Code: "others", At: span(7, 5, 7, 8), Message: "with other places", Source: "    abc = 1", Related: []Related{
			{span(9, 1, 9, 4), "behind it", "abc = 2"}, {span(2, 1, 4, 2), "over lines", "f(["}, {span(7, 11, 7, 12), "on its line", "    abc = 1"},
			{Span{File: "b.star", Line: 5, Column: 2, EndLine: 5, EndColumn: 3}, "in another file", "\tx"}, {span(8, 1, 8, 2), "without a source", ""}, {span(10, 4, 10, 5), "at the end", "abc"}}},
		{Severity: Warning, Code: "many", At: span(1, 1, 1, 2), Message: "with too many places", Source: "x", Related: slices.Repeat([]Related{{span(1, 1, 1, 2), "again", "x"}}, 12)},
		{Severity: Error, Code: "hostile", At: span(1, 6, 1, 7), Word: "a\nb", Message: "red\x1b[31m\u202e\x00 \xff", Source: "\x1b[2J\u200b!\r", Found: "\n\n"},
	}
}

func TestTextIsAsTheGoldenFileShows(t *testing.T) {
	t.Parallel()
	got := sample().String()
	if *update {
		if err := os.WriteFile("testdata/sample.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/sample.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestCaretsStandUnderTheirText compares columns as a terminal draws them, for the lines without marks of width none.
func TestCaretsStandUnderTheirText(t *testing.T) {
	t.Parallel()
	d := Diagnostic{Severity: Error, At: span(7, 5, 7, 7), Message: "m", Source: "\tab cd"}
	lines := strings.Split(d.String(), "\n")
	if at := strings.Index(lines[1], "cd"); at < 0 || strings.Index(lines[2], "^^") != at || strings.Count(lines[2], "^") != 2 {
		t.Errorf("\n%s", d)
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	d := sample()[8]
	d.Related = slices.Repeat([]Related{{d.At, d.Message, d.Source}}, 100)
	d.Chain = make([]Frame, 1000)
	list := make(List, 10_000)
	for i := range list {
		list[i] = d
	}
	text := list.String()
	if len(text) > 300_000 || !strings.HasSuffix(text, "\nand 9950 more\n") || !strings.Contains(text, "and 992 more calls") {
		t.Errorf("%d bytes, ending in %q", len(text), text[max(0, len(text)-40):])
	}
	var decoded struct {
		Diagnostics []struct{ Code string }
		Omitted     int
	}
	if err := json.Unmarshal(list.JSON(), &decoded); err != nil || len(decoded.Diagnostics) != Most || decoded.Omitted != 9950 {
		t.Errorf("%v: %d and %d", err, len(decoded.Diagnostics), decoded.Omitted)
	}
}

// TestNoListSilencesAnother has a list that is far too long between two others.
func TestNoListSilencesAnother(t *testing.T) {
	t.Parallel()
	one := func(name string) List { return List{{Severity: Note, Code: name, Message: name}} }
	long := make(List, 10_000)
	all := Lists{one("first"), long, nil, one("last")}
	if text := all.Text(Plain); !strings.HasPrefix(text, "note: first\n") || !strings.Contains(text, "\nand 9950 more\n\nnote: last\n") {
		t.Errorf("%.100s ... %s", text, text[len(text)-100:])
	}
	if text := string(all.JSON()); !strings.Contains(text, `"last"`) || !strings.Contains(text, `"omitted": 9950`) || all.Failed() {
		t.Errorf("%.100s ... %s", text, text[len(text)-300:])
	}
	if text := (Lists{nil, nil}).Text(Plain); text != "" {
		t.Errorf("%q", text)
	}
}

func TestEmptyListSaysNothing(t *testing.T) {
	t.Parallel()
	if text := List(nil).String(); text != "" {
		t.Errorf("%q", text)
	}
	if text := string(List(nil).JSON()); !strings.Contains(text, `"diagnostics": []`) {
		t.Errorf("%s", text)
	}
	if List(nil).Failed() || (List{{Severity: Warning}, {Severity: Note}}).Failed() || !(List{{Severity: Note}, {Severity: Error}}).Failed() {
		t.Error("errors alone fail")
	}
}

// TestSortKeepsFilesTogether holds the order: files as they came, then places; what is said twice is said once.
func TestSortKeepsFilesTogether(t *testing.T) {
	t.Parallel()
	at := func(file string, line int) Diagnostic {
		return Diagnostic{Severity: Error, At: Span{File: file, Line: line}, Code: "c"}
	}
	got := List{at("b", 5), at("a", 9), at("b", 1), at("a", 2), at("b", 5)}.Sort()
	var order strings.Builder
	for _, d := range got {
		order.WriteString(d.At.String() + " ")
	}
	if order.String() != "b:1 b:5 a:2 a:9 " {
		t.Error(order.String())
	}
}

// uncoloured takes out the colours that this package puts in.
func uncoloured(text string) string {
	for _, sgr := range []string{bold, faint, red, yellow, blue, cyan, "0"} {
		text = strings.ReplaceAll(text, "\x1b["+sgr+"m", "")
	}
	return text
}

// TestColourChangesNothingElse compares both styles: they differ in the sequences alone.
func TestColourChangesNothingElse(t *testing.T) {
	t.Parallel()
	coloured := sample().Text(Colour)
	if got := uncoloured(coloured); got != sample().String() || !strings.Contains(coloured, "\x1b["+red+"m^") || !strings.Contains(coloured, "\x1b["+yellow+"mwarning") || !strings.Contains(coloured, "\x1b["+blue+"m-") {
		t.Errorf("%q", coloured)
	}
}

// FuzzText holds that no text of a recipe reaches a terminal as anything but characters to draw.
func FuzzText(f *testing.F) {
	f.Add("x = 1", "message", 1, 3)
	f.Add("\x1b]0;t\x07\u2028\u202a\ufeff", "\u0085\u009b", 2, 9)
	f.Fuzz(func(t *testing.T, source, message string, column, end int) {
		d := Diagnostic{Severity: Error, At: span(1, column, 1, end), Source: source, Message: message, Found: source, Hint: message, Word: message,
			Chain: []Frame{{message, Span{File: source, Line: 1}}}, Related: []Related{{span(1, end, column, column), message, source}, {Span{File: message, Line: column, Column: end}, source, message}}}
		for _, text := range []string{d.String(), uncoloured(List{d}.Text(Colour)), string(List{d}.JSON()), string(List{d}.SARIF(Tool{Base: "/"}))} {
			for _, r := range text {
				if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)) {
					t.Errorf("%U in %q", r, text)
				}
			}
			if len(text) > 60_000 {
				t.Errorf("%d bytes", len(text))
			}
		}
	})
}
