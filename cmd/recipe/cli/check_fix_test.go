package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/builtins/diag"
)

// TestMendsTakeNoByteBesides mends several places of a line, behind a mark that no column counts, characters of several
// bytes, and ends of lines of Windows.
func TestMendsTakeNoByteBesides(t *testing.T) {
	t.Parallel()
	at := func(line, column, end int) diag.Span {
		return diag.Span{Line: line, Column: column, EndLine: line, EndColumn: end}
	}
	list := diag.List{
		{Fix: &diag.Fix{At: at(2, 5, 6), New: "y"}},
		{Fix: &diag.Fix{At: at(1, 3, 5), New: "0o7"}},
		{Fix: &diag.Fix{At: at(1, 4, 6), New: "overlaps"}},
		{Fix: &diag.Fix{At: at(1, 6, 7), New: ""}},
		{Fix: &diag.Fix{At: at(3, 1, 2), New: "end"}},
	}
	for _, test := range []struct{ before, after string }{
		{"é=12;3\nü = x\nz", "é=0o7;\nü = y\nend"},
		{"\ufeffé=12;3\r\nü = x\r\nz\r\n", "\ufeffé=0o7;\r\nü = y\r\nend\r\n"},
		{"é=12;3\n", "é=0o7;\nyend"},
	} {
		if got := string(applied([]byte(test.before), list)); got != test.after {
			t.Errorf("%q became %q, not %q", test.before, got, test.after)
		}
	}
}

// TestAMendThatHidesAnErrorIsNone compares what is to be said before and after.
func TestAMendThatHidesAnErrorIsNone(t *testing.T) {
	t.Parallel()
	list := func(text string) (list diag.List) {
		for _, word := range strings.Fields(text) {
			d := diag.Diagnostic{Severity: diag.Warning, Code: word}
			if word[0] >= 'A' && word[0] <= 'Z' {
				d.Severity = diag.Error
			}
			list = append(list, d)
		}
		return list
	}
	for _, test := range []struct {
		before, after string
		kept          bool
	}{
		{"A B", "B", true}, {"A", "", true}, {"A", "lint lint lint", true}, {"lint", "", true}, {"A lint", "A", true},
		{"A B C", "Syntax", false}, {"A", "A", false}, {"lint", "A", false}, {"lint", "lint other", false},
	} {
		if leaves(list(test.before), list(test.after)) != test.kept {
			t.Errorf("%q to %q: kept is not %v", test.before, test.after, test.kept)
		}
	}
}

// TestReplaceLosesNothing leaves alone what has changed since it was read, and what is no file; mode and links stay.
func TestReplaceLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	if err := replace(link, []byte("ol"), []byte("new")); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("longer than what was read: %v", err)
	}
	if err := replace(dir, nil, []byte("new")); err == nil {
		t.Error("a folder was replaced")
	}
	if err := replace(link, []byte("old"), []byte("new")); err != nil {
		t.Error(err)
	}
	text, _ := os.ReadFile(file)
	info, err := os.Lstat(file)
	if err != nil || string(text) != "new" || info.Mode() != 0o640 {
		t.Errorf("%q %v %v", text, info, err)
	}
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("the link: %q %v", to, err)
	}
	if err := os.Chmod(file, 0o440); err != nil {
		t.Fatal(err)
	}
	if err := replace(file, []byte("new"), []byte("newer")); (err == nil) != (os.Geteuid() == 0) {
		t.Errorf("unwritable: %v", err)
	}
}
