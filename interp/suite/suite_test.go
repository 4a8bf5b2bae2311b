package suite

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// host is a Runtime of few words: flags have their defaults or a number, and a probe is healthy that hears PONG.
type host struct{}

func (host) Resolve(p *plan.Plan, sets []string, facts expr.Facts) (*builtins.Resolved, error) {
	env := &expr.Env{Facts: facts, Flags: map[string]expr.Value{}}
	for _, f := range p.Flags {
		env.Flags[f.Name], _ = f.Default.Eval(env)
	}
	for _, set := range sets {
		name, text, _ := strings.Cut(set, "=")
		f := p.Flag(name)
		if f == nil {
			return nil, fmt.Errorf("--set: flag %q: no such flag", name)
		}
		v, err := f.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("--set: flag %q: %w", name, err)
		}
		env.Flags[name] = v
	}
	r := &builtins.Resolved{Env: env, Services: map[string]*builtins.ResolvedService{}}
	for _, s := range p.Launches() {
		rs := &builtins.ResolvedService{Env: map[string]string{"LANG": "C.UTF-8"}, Templates: map[string]string{}}
		for _, e := range s.Command {
			v, err := e.Eval(env)
			if err != nil {
				return nil, err
			}
			rs.Command = append(rs.Command, v.String())
		}
		r.Services[s.Name] = rs
	}
	return r, nil
}

func (host) Judge(_ builtins.Probed, given builtins.Given) error {
	var all []string
	for _, r := range given.Replies {
		all = append(all, string(r.Text))
	}
	if said := strings.Join(all, ""); given.Exit != 0 || !strings.Contains(said+given.Output, "PONG") {
		return fmt.Errorf("found %q", said)
	}
	return nil
}

// transcript runs all tests of a file and tells what became of each.
func transcript(path string, o Options) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	o.Runtime = host{}
	folder := &interp.Folder{Path: filepath.Dir(path)}
	defer folder.Close()
	f := File{Name: path, Text: text, Files: folder}
	names, list := List(f, o)
	var b strings.Builder
	if list.Failed() {
		fmt.Fprintf(&b, "FAIL\n%s\n", list)
	}
	for _, name := range names {
		r := Run(f, name, o)
		verdict := "FAIL"
		if r.Passed() {
			verdict = "ok  "
		}
		fmt.Fprintf(&b, "%s %s\n%s", verdict, name, r.Diagnostics)
		for _, g := range r.Golden {
			fmt.Fprintf(&b, "writes %s: %q\n", g.Path, g.Text)
		}
		if len(r.Diagnostics) > 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// TestTranscripts runs the file x_test.star of each archive, beside the others, and wants what its last file holds.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 5 {
		t.Fatalf("found %d transcripts: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			last := len(archive.Files) - 1
			for _, f := range archive.Files[:last] {
				at := filepath.Join(dir, f.Name)
				if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(at, f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got := strings.ReplaceAll(transcript(filepath.Join(dir, "x_test.star"), Options{Steps: 200_000}), dir+"/", "")
			if *update {
				archive.Files[last].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(archive.Files[last].Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

const foo = "port = flag(\"port\", type = \"port\", default = 8080)\nservice(name = \"foo\", command = [\"/usr/bin/foo\", fmt(\"--port={}\", port)], probes = [tcp(port, expect = \"PONG\")])\n"

func written(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestEachTestIsAlone: neither what a test changed, nor what it declared, nor the steps that it took reach another.
func TestEachTestIsAlone(t *testing.T) {
	t.Parallel()
	dir := written(t, map[string]string{"x_test.star": `
load("lib.star", "shared")
own = []
def test_changes_what_is_shared():
    shared.append(1)
def test_changes_what_is_its_own():
    own.append(1)
def test_declares():
    service(name = "a", command = ["/a"])
def test_declares_again():
    service(name = "a", command = ["/a"])
    assert.eq(len(own), 0)
def test_is_endless():
    for i in range(1000000):
        pass
def test_is_last():
    pass
`, "lib.star": "shared = []\n"})
	got := transcript(filepath.Join(dir, "x_test.star"), Options{Steps: 100_000})
	for _, want := range []string{"FAIL test_changes_what_is_shared", "FAIL test_changes_what_is_its_own", "ok   test_declares\n", "ok   test_declares_again\n", "FAIL test_is_endless", "[step-budget]", "ok   test_is_last"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestGoldenStaysInItsFolder tries names that lead out of testdata, and a link there.
func TestGoldenStaysInItsFolder(t *testing.T) {
	t.Parallel()
	outside := written(t, map[string]string{"secret": "text"})
	dir := written(t, map[string]string{"testdata/inside": "text", "x_test.star": `
def test_up(): golden("../x_test.star", "text")
def test_absolute(): golden("/etc/passwd", "text")
def test_unclean(): golden("a/../inside", "text")
def test_nul(): golden("a\0b", "text")
def test_empty(): golden("", "text")
def test_link(): golden("link", "text")
def test_folder_link(): golden("up/secret", "text")
def test_inside(): golden("inside", "text")
`})
	for name, target := range map[string]string{"link": filepath.Join(outside, "secret"), "up": outside} {
		if err := os.Symlink(target, filepath.Join(dir, "testdata", name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []Options{{}, {Update: true}} {
		got := transcript(filepath.Join(dir, "x_test.star"), o)
		if strings.Count(got, "FAIL") != 7 || !strings.Contains(got, "ok   test_inside") || strings.Contains(got, "writes") {
			t.Errorf("%+v\n%s", o, got)
		}
	}
}

// TestUpdateWritesWhatDiffers and nothing else.
func TestUpdateWritesWhatDiffers(t *testing.T) {
	t.Parallel()
	dir := written(t, map[string]string{"testdata/same": "a\n", "testdata/other": "a\n", "x_test.star": `
def test_golden():
    golden("same", "a\n")
    golden("other", "b\n")
    golden("deep/new", "c\n")
`})
	got := transcript(filepath.Join(dir, "x_test.star"), Options{Update: true})
	if want := "ok   test_golden\nwrites testdata/other: \"b\\n\"\nwrites testdata/deep/new: \"c\\n\"\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestCoverageOfATest counts what evaluations reached, functions that nothing calls included, and no test file.
func TestCoverageOfATest(t *testing.T) {
	t.Parallel()
	dir := written(t, map[string]string{
		"foo.star":    "load(\"lib.star\", \"a\")\n" + foo + "if a() > 5:\n    pass\n",
		"lib.star":    "def a():\n    return 1\n\ndef b():\n    x = 2\n    return x\n",
		"x_test.star": "load(\"lib.star\", \"a\")\ndef test_a():\n    evaluate(\"foo.star\")\n    assert.eq(a(), 1)\n",
	})
	text, _ := os.ReadFile(filepath.Join(dir, "x_test.star"))
	folder := &interp.Folder{Path: dir}
	defer folder.Close()
	r := Run(File{filepath.Join(dir, "x_test.star"), text, folder}, "test_a", Options{Runtime: host{}, Cover: true})
	if !r.Passed() {
		t.Fatal(r.Diagnostics)
	}
	got := strings.ReplaceAll(CoverageTable(r.Coverage), dir+"/", "")
	got = strings.Join(strings.Fields(got), " ")
	if want := "foo.star 4/5 80.0% 5 lib.star 3/5 60.0% 5-6 total 7/10 70.0%"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	lcov := strings.ReplaceAll(string(LCOV(r.Coverage)), dir+"/", "")
	want := "TN:\nSF:foo.star\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,1\nDA:5,0\nLF:5\nLH:4\nend_of_record\nTN:\nSF:lib.star\nDA:1,2\nDA:2,2\nDA:4,2\nDA:5,0\nDA:6,0\nLF:5\nLH:3\nend_of_record\n"
	if lcov != want {
		t.Errorf("got\n%s\nwant\n%s", lcov, want)
	}
}

func TestUncovered(t *testing.T) {
	t.Parallel()
	lines := func(counts ...uint64) interp.FileCoverage {
		f := interp.FileCoverage{}
		for i, c := range counts {
			f.Lines = append(f.Lines, interp.LineCoverage{Line: 10 * (i + 1), Count: c})
		}
		return f
	}
	for _, c := range []struct {
		f    interp.FileCoverage
		want string
	}{
		{lines(), ""}, {lines(1, 2), ""}, {lines(0), "10"}, {lines(0, 0, 1, 0), "10-20 40"}, {lines(1, 0, 1, 0, 0), "20 40-50"},
	} {
		if got := strings.Join(Uncovered(c.f), " "); got != c.want {
			t.Errorf("%v: got %q, want %q", c.f, got, c.want)
		}
	}
	if got := percent(1999, 2000); got != "99.9%" {
		t.Errorf("1999 of 2000 is %s", got)
	}
}

// FuzzRun feeds source text to a test file. Nothing may break down, and what is said is bounded.
func FuzzRun(f *testing.F) {
	for _, w := range builtins.AllTestWords() {
		f.Add(w.Example + "\n")
	}
	paths, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range paths {
		if archive, err := txtar.ParseFile(path); err == nil {
			f.Add(string(archive.Files[0].Data))
		}
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "foo.star"), []byte(foo), 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src string) {
		folder := &interp.Folder{Path: dir}
		defer folder.Close()
		file := File{Name: filepath.Join(dir, "x_test.star"), Text: []byte(src), Files: folder}
		o := Options{Runtime: host{}, Cover: true, Steps: 20_000}
		names, list := List(file, o)
		for _, name := range names[:min(len(names), 3)] {
			r := Run(file, name, o)
			list = append(list, r.Diagnostics...)
		}
		if len(list.String()) > 500_000 {
			t.Errorf("%d bytes of diagnostics", len(list.String()))
		}
		for _, d := range list {
			if d.Code == interp.CodeBroken || d.Severity == diag.Error && d.Code == "" {
				t.Error(d)
			}
		}
	})
}
