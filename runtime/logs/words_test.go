package logs

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"recipe/runtime/plan"
)

func TestLastWordsAreBoundedAndPrintable(t *testing.T) {
	t.Parallel()
	l, _ := start(t, plan.DefaultLogs(), nil)
	l.ForgetWords()
	if got := l.LastWords(); len(got) != 0 {
		t.Errorf("of a silent one: %q", got)
	}
	for i := range 20 {
		fmt.Fprintf(l.Writer(), "line %d\x1b[2J\n\n", i)
	}
	io.WriteString(l.Writer(), "and no newline")
	want := []string{"line 16 [2J", "line 17 [2J", "line 18 [2J", "line 19 [2J", "and no newline"}
	if got := l.LastWords(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q", got)
	}
	io.WriteString(l.Writer(), strings.Repeat("ü", 1000)+"\n")
	if got := l.LastWords(); len(got) != 1 || len(got[0]) > mostWords+3 || !strings.HasPrefix(got[0], "...") || !strings.HasSuffix(got[0], "üü") {
		t.Errorf("a long line: %q", got)
	}
	l.ForgetWords()
	io.WriteString(l.Writer(), "next\n")
	if got := l.LastWords(); fmt.Sprint(got) != "[next]" {
		t.Errorf("of the next: %q", got)
	}
}

// FuzzLastWords: whatever was said in whatever pieces, they are bounded and printable.
func FuzzLastWords(f *testing.F) {
	f.Add([]byte("one\ntwo\x00\xff\n\n"), 3)
	f.Add([]byte(strings.Repeat("ü", 400)), 255)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		size = max(1, size%600)
		var w words
		for rest := text; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			w.hear(rest[:min(size, len(rest))])
		}
		if !strings.HasSuffix(string(text), string(w)) || len(w) != min(len(text), mostWords) {
			t.Fatalf("kept %q of %q", w, text)
		}
		for _, line := range w.lines() {
			if line == "" || line != spoken(line) {
				t.Fatalf("%q", line)
			}
		}
		if n := len(w.lines()); n > mostLines {
			t.Fatalf("%d lines", n)
		}
	})
}
