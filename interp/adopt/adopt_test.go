package adopt

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/interp/format"
	"recipe/runtime/plan/lint"
)

var update = flag.Bool("update", false, "rewrite the golden recipes")

// files are what people have: everything in testdata that is no recipe.
func files(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(path string) bool { return strings.HasSuffix(path, ".star") || path == "testdata/fuzz" })
	if len(all) < len(Kinds()) {
		t.Fatalf("only %d files in testdata", len(all))
	}
	return all
}

// TestFilesBecomeRecipes holds each recipe to its golden file: it is sound, and warned of only for want of a
// probe, and of variables whose values no file tells.
func TestFilesBecomeRecipes(t *testing.T) {
	t.Parallel()
	kinds := map[Kind]bool{}
	for _, path := range files(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		kind := Guess(path, string(text))
		kinds[kind] = true
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		draft, err := Read(kind, name, string(text))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got, list := format.Source(path, []byte(draft.Recipe()))
		if list.Failed() {
			t.Fatalf("%s: %s", path, list)
		}
		golden := path + ".star"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(got) != string(want) {
			t.Errorf("%v\n%s", err, diff.Diff("want", want, "got", got))
		}
		_, list = interp.EvaluateBytes(golden, got, interp.Options{})
		if list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Code == lint.CodeNoProbe || d.Code == lint.CodeShell }); len(list) > 0 {
			t.Errorf("%s", list)
		}
	}
	for _, kind := range Kinds() {
		if !kinds[kind] {
			t.Errorf("no file in testdata is taken for a %s", kind)
		}
	}
}

// TestTemplateIsSound evaluates the template, which is laid out as it should be.
func TestTemplateIsSound(t *testing.T) {
	t.Parallel()
	text := Template("My Daemon")
	_, list := interp.EvaluateBytes("my-daemon.star", []byte(text), interp.Options{})
	if len(list) > 0 || !strings.Contains(text, `name = "my-daemon"`) {
		t.Errorf("%s\n%s", text, list)
	}
	if laid, list := format.Source("my-daemon.star", []byte(text)); string(laid) != text {
		t.Errorf("%s%s", list, diff.Diff("is", []byte(text), "would be", laid))
	}
}

// TestAnotherName is given to what stands in texts as a word, and to nothing else.
func TestAnotherName(t *testing.T) {
	t.Parallel()
	source := "# foo\nload(\"foo.star\", \"foo\")\nfoo = \"é foo /var/lib/foo/foo food foo_x\"\nservice(name = 'foo', x = foo)  # foo\n"
	want := "# foo\nload(\"foo.star\", \"foo\")\nfoo = \"é bar /var/lib/bar/bar food foo_x\"\nservice(name = 'bar', x = foo)  # foo\n"
	if got := string(Renamed([]byte(source), "foo", "bar")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWhatIsNoServiceIsSaid reads files that start nothing.
func TestWhatIsNoServiceIsSaid(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		if _, err := Read(kind, "x", "nothing = here\n"); err == nil || !strings.HasPrefix(err.Error(), "cannot adopt the file") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := Read("cron", "x", ""); err == nil {
		t.Error("a cron table is adopted")
	}
}

// FuzzRead adopts whatever comes. The recipe can always be read, and its evaluation finds nothing worse than values that
// the words refuse.
func FuzzRead(f *testing.F) {
	for _, path := range files(f) {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(slices.Index(Kinds(), Guess(path, string(text))), string(text))
	}
	f.Fuzz(func(t *testing.T, kind int, text string) {
		if kind < 0 || kind >= len(Kinds()) {
			return
		}
		draft, err := Read(Kinds()[kind], "fuzz", text)
		if err != nil {
			return
		}
		_, list := interp.EvaluateBytes("fuzz.star", []byte(draft.Recipe()), interp.Options{})
		for _, d := range list {
			if d.Code == interp.CodeSyntax || d.Code == interp.CodeUnknownWord || d.Code == interp.CodeBroken || d.Code == interp.CodeEvaluation {
				t.Errorf("%s\n%s", d, draft.Recipe())
			}
		}
	})
}

// TestNothingIsDroppedInSilence names each setting whose value a recipe cannot have.
func TestNothingIsDroppedInSilence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind             Kind
		text, settingsOf string
	}{
		{Systemd, "[Service]\nExecStart=/bin/foo\n", "UMask=9 RestartSec=1fortnight TimeoutStopSec=infinity"},
		{Systemd, "[Service]\nExecStart=/bin/foo\n", "StateDirectory=../etc ExecStart=/bin/bar ExecStart=/bin/a\\x27"},
		{Supervisord, "[program:foo]\ncommand=/bin/foo\n", "umask=x stopwaitsecs=x startsecs=x"},
	} {
		for _, setting := range strings.Fields(c.settingsOf) {
			draft, err := Read(c.kind, "foo", c.text+setting+"\n")
			if err != nil {
				t.Fatal(err)
			}
			key, _, _ := strings.Cut(setting, "=")
			if !slices.ContainsFunc(draft.Notes, func(note string) bool { return strings.Contains(note, key) }) {
				t.Errorf("%s is not told: %q", setting, draft.Notes)
			}
		}
	}
}
