package contents

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// folder lays out a recipe's folder: names that end in / are folders, " -> " makes a link, "!" before a name makes it
// executable.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		name, target, link := strings.Cut(name, " -> ")
		bare, program := strings.CutPrefix(name, "!")
		file := filepath.Join(dir, bare)
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		switch {
		case err != nil:
		case link:
			err = os.Symlink(target, file)
		case strings.HasSuffix(bare, "/"):
			err = os.MkdirAll(file, 0o700)
		case program:
			err = os.WriteFile(file, nil, 0o700)
		default:
			err = os.WriteFile(file, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func list(t *testing.T, dir string, contents ...plan.Content) ([]string, error) {
	t.Helper()
	sources, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer sources.Close()
	entries, err := List(&plan.Package{Contents: contents}, sources)
	lines := []string{}
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("%s %s dir=%v %q %q", e.Path, e.Mode, e.Directory, e.Source, e.Target))
	}
	return lines, err
}

func static(exclude ...string) plan.Content {
	return plan.Content{Kind: plan.ContentTree, Source: "static", Path: "/usr/share/foo", Exclude: exclude}
}

func TestTree(t *testing.T) {
	t.Parallel()
	dir := folder(t, "other/x", "static/b", "static/a b/it's é", "!static/a b/run", "static/empty/", "static/.hidden", "static/b.d/x",
		"static/current -> a b/../b", "static/folder -> a b", "static/a b/up -> ../b.d")
	got, err := list(t, dir, static())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`/usr/share/foo 0755 dir=true "" ""`,
		`/usr/share/foo/.hidden 0644 dir=false "static/.hidden" ""`,
		`/usr/share/foo/a b 0755 dir=true "" ""`,
		`/usr/share/foo/a b/it's é 0644 dir=false "static/a b/it's é" ""`,
		`/usr/share/foo/a b/run 0755 dir=false "static/a b/run" ""`,
		`/usr/share/foo/a b/up 0755 dir=false "" "../b.d"`,
		`/usr/share/foo/b 0644 dir=false "static/b" ""`,
		`/usr/share/foo/b.d 0755 dir=true "" ""`,
		`/usr/share/foo/b.d/x 0644 dir=false "static/b.d/x" ""`,
		`/usr/share/foo/current 0755 dir=false "" "a b/../b"`,
		`/usr/share/foo/empty 0755 dir=true "" ""`,
		`/usr/share/foo/folder 0755 dir=false "" "a b"`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhatATreeLeavesOut(t *testing.T) {
	t.Parallel()
	dir := folder(t, "static/a.js", "static/a.js.map", "static/lib/b.js.map", "static/lib/keep", "static/node_modules/x", "static/doc/a", "static/lib/doc/b", "static/out -> /etc/passwd")
	got, err := list(t, dir, static("*.map", "node_modules", "doc/a", "out"))
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got, "\n")
	for name, want := range map[string]bool{"/a.js": true, "/a.js.map": false, "/lib/b.js.map": false, "/lib/keep": true, "/node_modules": false, "/doc": true, "/doc/a": false, "/lib/doc/b": true, "/out": false} {
		if strings.Contains(all, "/usr/share/foo"+name+" ") != want {
			t.Errorf("%s is in it: %v, of\n%s", name, !want, all)
		}
	}
}

func TestModesThatAreGiven(t *testing.T) {
	t.Parallel()
	c := static()
	c.Mode = 0o640
	got, err := list(t, folder(t, "!static/d/run"), c)
	if err != nil || len(got) != 3 || !strings.HasPrefix(got[1], "/usr/share/foo/d 0755 ") || !strings.HasPrefix(got[2], "/usr/share/foo/d/run 0640 ") {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWhatATreeCannotHold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ path, want string }{
		"absolute link":                   {"static/x -> /etc/passwd", `cannot pack "static/x": it is a link to "/etc/passwd", which leads out of the tree`},
		"link out of the tree":            {"static/x -> ../other/x", "which leads out of the tree"},
		"link out of the recipe":          {"static/x -> ../../../etc", "which leads out of the tree"},
		"link out by another":             {"static/x -> deep/up/../../other/x", "which leads out of the tree"},
		"link to nothing":                 {"static/x -> absent", `it is a link to "absent", where nothing is: exclude it`},
		"link to itself":                  {"static/x -> x", "which leads out of the tree"},
		"name of two lines":               {"static/a\nb", "control character"},
		"name that is not UTF-8":          {"static/\xff", "not UTF-8"},
		"folder whose name is not UTF-8":  {"static/\xff/", "not UTF-8"},
		"link whose name holds an escape": {"static/\x1b[2J -> b", "control character"},
	} {
		_, err := list(t, folder(t, "other/x", "static/b", "static/deep/up -> ../b.d", "static/b.d/y", c.path), static())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, wanted %q", name, err, c.want)
		}
	}
	dir := folder(t, "static/b", "file")
	if err := unix.Mkfifo(filepath.Join(dir, "static/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := list(t, dir, static()); err == nil || !strings.Contains(err.Error(), `"static/pipe": it is neither a file, a folder nor a link`) {
		t.Errorf("a pipe: %v", err)
	}
	for source, want := range map[string]string{"absent": "there is no such folder", "file": "not a directory"} {
		c := static()
		c.Source = source
		if _, err := list(t, dir, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestOthersAreAsTheyAre(t *testing.T) {
	t.Parallel()
	got, err := list(t, t.TempDir(),
		plan.Content{Kind: plan.ContentFile, Source: "dist/food", Path: "/usr/bin/food", Mode: 0o755},
		plan.Content{Kind: plan.ContentDirectory, Path: "/var/lib/foo", Mode: 0o750},
		plan.Content{Kind: plan.ContentSymlink, Path: "/usr/bin/foo", Target: "food"})
	want := []string{`/usr/bin/food 0755 dir=false "dist/food" ""`, `/var/lib/foo 0750 dir=true "" ""`, `/usr/bin/foo 0000 dir=false "" "food"`}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
}
