package interp

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// write makes a folder of files, by path.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const small = `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080)])` + "\n"

func TestTourMakesAPlan(t *testing.T) {
	t.Parallel()
	p, list := Evaluate("testdata/foo.star", Options{})
	if len(list) > 0 || p == nil {
		t.Fatalf("diagnostics:\n%s", list)
	}
	got, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/foo.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/foo.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the plan is\n%s\nwant\n%s", got, want)
	}
}

// TestPlanInPlanOut holds that a plan's JSON may stand where a recipe may, and comes out as the same bytes.
func TestPlanInPlanOut(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/foo.json")
	if err != nil {
		t.Fatal(err)
	}
	p, list := Evaluate("-", Options{Stdin: strings.NewReader(string(want))})
	if p == nil {
		t.Fatal(list)
	}
	if got, err := p.Encode(); err != nil || string(got) != string(want) {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestBadPlanIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ src, code, says string }{
		{`{"format": 1, "name": "foo", "servces": []}`, CodeBadPlan, "servces"},
		{`{"format": 7, "name": "foo"}`, CodeBadPlan, "format is 7"},
		{` {`, CodeBadPlan, "cannot read the plan"},
		{`{"format": 1, "name": "Foo"}`, plan.CodeName, "name"},
	} {
		p, list := EvaluateBytes("plan.json", []byte(c.src), Options{})
		if p != nil || len(list) != 1 || list[0].Code != c.code || !strings.Contains(list.String(), c.says) {
			t.Errorf("%s gave\n%s", c.src, list)
		}
	}
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	p, list := Evaluate("-", Options{Stdin: strings.NewReader(small)})
	if p == nil || p.Name != "foo" {
		t.Fatal(list)
	}
	if _, list := Evaluate("-", Options{}); !list.Failed() {
		t.Error("no input is no error")
	}
}

func TestUnreadableRecipe(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"testdata/nowhere.star", "testdata"} {
		p, list := Evaluate(path, Options{})
		if p != nil || len(list) != 1 || list[0].Code != CodeCannotRead || strings.Count(list.String(), path) != 1 {
			t.Errorf("%s: %v\n%s", path, p, list)
		}
	}
}

// TestNameOfThePlan follows the order package, only service, file; what cannot be in a name becomes a dash.
func TestNameOfThePlan(t *testing.T) {
	t.Parallel()
	const pkg = `package(name = "pkg", version = "1", maintainer = "A <a@example.org>", summary = "x")` + "\n"
	two := small + strings.Replace(small, "foo", "bar", 1)
	for _, c := range []struct{ file, src, want string }{
		{"x.star", pkg + small, "pkg"},
		{"x.star", small, "foo"},
		{"a b/My Réc!pe.star", two, "my-r-c-pe"},
		{"-", two, "recipe"},
		{"...star", two, "recipe"},
		{strings.Repeat("x", 100) + ".star", two, strings.Repeat("x", 64)},
	} {
		p, list := EvaluateBytes(c.file, []byte(c.src), Options{})
		if p == nil || p.Name != c.want {
			t.Errorf("%q: want %q, got %+v\n%s", c.file, c.want, p, list)
		}
	}
}

func TestLoadsAreInputs(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"recipe.star":     `load("lib/a.star", "a")` + "\n" + `load("//lib/b.star", "b")` + "\n" + `load("@std//probes.star", "http_ok")` + "\n" + small,
		"lib/a.star":      `load("b.star", "b")` + "\n" + `load("sub/../sub/c.star", "c")` + "\na = b + c\n",
		"lib/b.star":      "b = 1\n",
		"lib/sub/c.star":  `load("../b.star", "b")` + "\nc = b\n",
		"lib/unused.star": "fail()",
	})
	p, list := Evaluate(filepath.Join(dir, "recipe.star"), Options{})
	if p == nil {
		t.Fatal(list)
	}
	sum := sha256.Sum256([]byte("b = 1\n"))
	if len(p.Inputs) != 3 || p.Inputs[0].Path != "lib/a.star" || p.Inputs[1] != (plan.Input{Path: "lib/b.star", SHA256: hex.EncodeToString(sum[:])}) || p.Inputs[2].Path != "lib/sub/c.star" {
		t.Errorf("inputs: %v", p.Inputs)
	}
}

// TestRootAboveTheRecipe lets several recipes share what lies in a folder above them.
func TestRootAboveTheRecipe(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"foo/recipe.star": `load("//lib/a.star", "a")` + "\n" + `load("b.star", "b")` + "\n" + small,
		"foo/b.star":      `load("../lib/a.star", "a")` + "\nb = a\n",
		"lib/a.star":      "a = 1\n",
	})
	path := filepath.Join(dir, "foo/recipe.star")
	p, list := Evaluate(path, Options{Root: dir})
	if p == nil || len(p.Inputs) != 2 || p.Inputs[0].Path != "foo/b.star" {
		t.Errorf("%+v\n%s", p, list)
	}
	if p, _ := Evaluate(path, Options{}); p != nil {
		t.Error("the folder above was in reach")
	}
}

// TestNoLoadLeavesTheFolder tries links, pipes and folders.
func TestNoLoadLeavesTheFolder(t *testing.T) {
	t.Parallel()
	outside := write(t, map[string]string{"secret.star": "x = 1\n"})
	dir := write(t, map[string]string{"in/real.star": "x = 1\n", "folder.star/x": ""})
	for link, target := range map[string]string{"out.star": filepath.Join(outside, "secret.star"), "up": outside, "fine.star": "in/real.star", "loop.star": "loop.star"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for name, allowed := range map[string]bool{"fine.star": true, "out.star": false, "up/secret.star": false, "loop.star": false, "folder.star": false} {
		_, list := EvaluateBytes(filepath.Join(dir, "r.star"), []byte(`load("`+name+`", "x")`+"\n"+small), Options{})
		if list.Failed() == allowed {
			t.Errorf("%s: allowed: %v\n%s", name, allowed, list)
		}
		for _, d := range list {
			if d.Code != CodeCannotLoad {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
}

// TestModulesRunOnce holds that a module's values are shared, frozen, and made once however many load it.
func TestModulesRunOnce(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"recipe.star": `load("a.star", "list")` + "\n" + `load("b.star", again = "list")` + "\nlist.append(1)\n" + small,
		"a.star":      "print(\"once\")\nlist = []\n",
		"b.star":      `load("a.star", l = "list")` + "\nlist = l\n",
	})
	_, list := Evaluate(filepath.Join(dir, "recipe.star"), Options{})
	if notes := strings.Count(list.String(), "once"); notes != 2 { // the note and its source line
		t.Errorf("printed %d times:\n%s", notes, list)
	}
	if !strings.Contains(list.String(), "does not change") {
		t.Errorf("a module's list was changed:\n%s", list)
	}
}

// TestEmptiedFileIsNoRecipe holds that nothing which an editor leaves behind while it writes stops what runs.
func TestEmptiedFileIsNoRecipe(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"", "\n", "# only a comment\n", "x = 1\n", "\"\"\"foo\"\"\"\n", "{", "\x00\x00\x00"} {
		if p, list := EvaluateBytes("x.star", []byte(src), Options{}); p != nil || !list.Failed() {
			t.Errorf("%q made %+v\n%s", src, p, list)
		}
	}
}

// TestLineEndsOfWindows holds that they change neither the plan nor the places.
func TestLineEndsOfWindows(t *testing.T) {
	t.Parallel()
	const src = "x = 1\n" + small + "service(name = \"bar\", command = [\"/x\"], usr = 1)\n"
	_, want := EvaluateBytes("x.star", []byte(src), Options{})
	_, got := EvaluateBytes("x.star", []byte(strings.ReplaceAll(src, "\n", "\r\n")), Options{})
	if got.String() != want.String() || !got.Failed() {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWarningsDoNotFail holds that warnings and notes leave a plan.
func TestWarningsDoNotFail(t *testing.T) {
	t.Parallel()
	p, list := EvaluateBytes("x.star", []byte("print(1)\nservice(name = \"foo\", command = [\"/usr/bin/foo\"])\n"), Options{})
	if p == nil || list.Failed() || len(list) != 2 {
		t.Errorf("%v\n%s", p, list)
	}
	for _, d := range list {
		if d.Severity == diag.Error {
			t.Error(d)
		}
	}
}

// TestFolderThatIsGone: what a recipe loads from a folder that is not there is a mistake like any other.
func TestFolderThatIsGone(t *testing.T) {
	t.Parallel()
	_, list := EvaluateBytes("/nonexistent/x.star", []byte("load(\"y.star\", \"y\")\n"+small), Options{})
	if len(list) != 1 || list[0].Code != CodeCannotLoad {
		t.Error(list)
	}
}
