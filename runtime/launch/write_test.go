package launch

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestWhatCanBeReadAgainIsWrittenAgain: before a daemon is told to read again, templates, copies and links are what the
// new values make of them, and nothing else of the steps is done.
func TestWhatCanBeReadAgainIsWrittenAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("source"), []byte("copied"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := Spec{Service: "foo", Steps: []Step{
		{Run: &Run{Argv: []string{"/absent"}}},
		{Directory: &Directory{Path: at("directory")}},
		{Template: &Template{Path: at("template"), Text: "written", Ownership: Ownership{Mode: 0o644}}},
		{Copy: &Copy{Source: at("source"), Path: at("copy"), Ownership: Ownership{Mode: 0o644}}},
		{Symlink: &Symlink{Path: at("link"), Target: "copy"}},
		{File: &File{Path: "/absent"}},
	}}
	if err := s.WriteTemplates(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"template": "written", "copy": "copied", "link": "copied"} {
		if got, err := os.ReadFile(at(name)); string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	if _, err := os.Lstat(at("directory")); err == nil {
		t.Error("a directory was made")
	}
}

// TestACopyEndsWhenTheLauncherIsToEnd: the file that it would have replaced is whole, and no half one is left.
func TestACopyEndsWhenTheLauncherIsToEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	for path, text := range map[string]string{source: "new", target: "old"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(os.ErrDeadlineExceeded)
	c := Copy{Source: source, Path: target, Ownership: Ownership{Mode: 0o644}}
	if err := c.prepare(ctx, "foo"); err != os.ErrDeadlineExceeded {
		t.Errorf("the copy ended with %v", err)
	}
	left, err := os.ReadDir(dir)
	if got, _ := os.ReadFile(target); string(got) != "old" || len(left) != 2 || err != nil {
		t.Errorf("the target holds %q, and there are %v", got, left)
	}
}
