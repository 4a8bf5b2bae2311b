package interp

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// mistakes are the golden files: recipes that authors get wrong, each with what they are told.
func mistakes(t *testing.T) []string {
	paths, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(paths) < 200 {
		t.Fatalf("found %d golden mistakes: %v", len(paths), err)
	}
	return paths
}

// TestMistakesTellWhatToDo holds every diagnostic to its golden text. The recipe is recipe.star; want is the answer.
func TestMistakesTellWhatToDo(t *testing.T) {
	t.Parallel()
	for _, path := range mistakes(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := unpacked(t, archive)
			kept := &Compiled{}
			p, list := Evaluate(filepath.Join(dir, "recipe.star"), Options{Compiled: kept})
			got := strings.ReplaceAll(list.String(), dir+"/", "")
			if _, again := Evaluate(filepath.Join(dir, "recipe.star"), Options{Compiled: kept}); again.String() != list.String() {
				t.Errorf("with programs that were kept\n%s", again)
			}
			if list.Failed() != (p == nil) {
				t.Errorf("errors: %v, plan: %v", list.Failed(), p != nil)
			}
			want := &archive.Files[len(archive.Files)-1]
			if want.Name != "want" {
				archive.Files = append(archive.Files, txtar.File{Name: "want"})
				want = &archive.Files[len(archive.Files)-1]
			}
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(want.Data) {
				t.Errorf("got\n%s\nwant\n%s", got, want.Data)
			}
		})
	}
}

func unpacked(t *testing.T, archive *txtar.Archive) string {
	dir := t.TempDir()
	for _, f := range archive.Files {
		if f.Name == "want" {
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestNoGoInDiagnostics reads the golden files for what an author cannot know.
func TestNoGoInDiagnostics(t *testing.T) {
	t.Parallel()
	foreign := regexp.MustCompile(`\*?starlark\.|\*?syntax\.|expr\.[A-Z]|plan\.[A-Z]|builtins\.|%!|panic|runtime error|syntax error|interface \{|goroutine|<nil>|NoneType|builtin_function|unhandled|/tmp/|(?m:^[^|]*: failed$)`)
	for _, path := range mistakes(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, want, found := strings.Cut(string(data), "-- want --\n")
		if !found || strings.TrimSpace(want) == "" {
			t.Errorf("%s says nothing", path)
		}
		if at := foreign.FindString(want); at != "" {
			t.Errorf("%s speaks of %q", path, at)
		}
		if !regexp.MustCompile(`(?m)^  (hint|accepted|found):|note\]|refused-by-recipe`).MatchString(want) {
			t.Errorf("%s tells neither what was found nor what to do", path)
		}
	}
}
