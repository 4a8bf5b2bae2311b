package format

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"

	"recipe/interp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestLayout holds the layout of each golden file: in goes the part "in", out comes the part "out".
func TestLayout(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, list := Source("in", archive.Files[0].Data)
		if list.Failed() {
			t.Errorf("%s: %s", path, list)
		}
		if *update {
			archive.Files = append(archive.Files[:1], txtar.File{Name: "out", Data: got})
			if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := archive.Files[1].Data; !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s", path, diff.Diff("want", want, "got", got))
		}
	}
}

// TestTextsOfWindowsAreLaidOut gives a text with a byte order mark and other ends of lines, which golden files cannot hold,
// the layout of the same text without.
func TestTextsOfWindowsAreLaidOut(t *testing.T) {
	t.Parallel()
	const text = "x = [\n  'é', # why\n  \"\"\"a\n  b\"\"\"]\n# last"
	want, list := Source("in", []byte(text))
	if list.Failed() {
		t.Fatal(list)
	}
	for _, other := range []string{"\ufeff" + text, strings.ReplaceAll(text, "\n", "\r\n"), "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"} {
		if got, list := Source("in", []byte(other)); list.Failed() || !bytes.Equal(got, want) {
			t.Errorf("%q: %s%s", other, list, diff.Diff("want", want, "got", got))
		}
	}
}

// TestEveryRecipeIsLaidOut holds the project's own recipes and modules to the layout that it offers.
func TestEveryRecipeIsLaidOut(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, folder := range []string{"../../recipes", "../../stdlib"} {
		eachModule(t, folder, func(path string, text []byte) {
			seen++
			got, list := Source(path, text)
			if list.Failed() {
				t.Errorf("%s", list)
			} else if !bytes.Equal(got, text) {
				t.Errorf("recipe fmt would change %s:\n%s", path, diff.Diff("is", text, "would be", got))
			}
		})
	}
	if seen < 3 {
		t.Errorf("only %d files were looked at", seen)
	}
}

// TestStarlarksOwnScripts lays out what was written without this program in mind. Source itself checks that the meaning
// and the comments stay, and that a second call changes nothing. The scripts hold chunks behind ---, some of them wrong.
func TestStarlarksOwnScripts(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.starlark.net").Output()
	if err != nil {
		t.Fatalf("cannot find the scripts: %v", err)
	}
	sound := 0
	eachModule(t, filepath.Join(strings.TrimSpace(string(out)), "starlark", "testdata"), func(path string, text []byte) {
		for _, chunk := range strings.Split(string(text), "\n---\n") {
			got, list := Source(filepath.Base(path), []byte(chunk))
			if got != nil {
				sound++
			} else if strings.Contains(list.String(), "left as it is") {
				t.Errorf("%s", list)
			}
		}
	})
	if sound < 80 {
		t.Errorf("only %d chunks were laid out", sound)
	}
}

func eachModule(t *testing.T, folder string, do func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".star" {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			do(path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzSource lays out whatever can be read. Source checks the meaning and the comments itself, and refuses what would
// lose either; here a result must be one that stays.
func FuzzSource(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) || bytes.ContainsAny(text, "\x00\r") {
			return
		}
		got, list := Source("fuzz", text)
		if got == nil != list.Failed() {
			t.Errorf("a result: %v; errors: %v", got != nil, list)
		}
		if again, list := Source("fuzz", got); got != nil && !bytes.Equal(again, got) {
			t.Errorf("%q becomes %q and then %q: %s", text, got, again, list)
		}
	})
}

// BenchmarkSource lays out the tour.
func BenchmarkSource(b *testing.B) {
	text, err := os.ReadFile("../../recipes/foo/foo.star")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if got, list := Source("foo.star", text); got == nil {
			b.Fatal(list)
		}
	}
}

// TestATooLargeLayout: what would be larger than a recipe may be is the recipe's fault.
func TestATooLargeLayout(t *testing.T) {
	t.Parallel()
	deep := "x = " + strings.Repeat("[\n", 70) + strings.Repeat("1,\n", 5000) + strings.Repeat("]\n", 70)
	if got, list := Source("x.star", []byte(deep)); got != nil || len(list) != 1 || list[0].Code != interp.CodeTooLarge {
		t.Errorf("%d bytes, %s", len(got), list)
	}
}
