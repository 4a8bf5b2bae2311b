package launch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/plan"
)

// TestPreviewTellsAndChangesNothing shows what steps would do to nothing, to what is as it should be, and to what is not.
func TestPreviewTellsAndChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("source"), []byte("copied\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	mode := func(m plan.Mode) Ownership { return Ownership{Mode: m} }
	spec := &Spec{Service: "foo", Steps: []Step{
		{Directory: &Directory{Path: at("data"), Ownership: mode(0o750)}},
		{Template: &Template{Path: at("conf"), Text: "a\nb\n", Ownership: mode(0o644)}},
		{Copy: &Copy{Source: at("source"), Path: at("copy"), Ownership: mode(0o600)}},
		{Symlink: &Symlink{Path: at("link"), Target: "conf"}},
		{Run: &Run{Argv: []string{"/usr/bin/foo", "--migrate"}, Timeout: 1000}},
		{WaitFor: &WaitFor{Path: at("mount"), Timeout: 1000}},
		{FreeSpace: &FreeSpace{Path: dir, Size: 1 << 62}},
	}}
	preview := func() string { return strings.ReplaceAll(strings.Join(spec.Preview(), "\n"), dir, "") }
	want := func(lines ...string) {
		t.Helper()
		got := preview()
		for _, line := range lines {
			if !strings.Contains(got, line) {
				t.Errorf("%q is not told in\n%s", line, got)
			}
		}
	}
	want("directory /data: would be made, mode 0750", "file /conf: would be written, 4 bytes, mode 0644", "copy /copy: would be written, 7 bytes, mode 0600",
		"link /link: would be made, to conf", "run /usr/bin/foo --migrate", "wait for", "free space at : the start would be refused: ")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the preview has made something: %v, %v", entries, err)
	}

	for _, err := range []error{os.Mkdir(at("data"), 0o750), os.Chmod(at("data"), 0o750), os.WriteFile(at("conf"), []byte("a\nb\n"), 0o644), os.Chmod(at("conf"), 0o644),
		os.WriteFile(at("copy"), []byte("copied\n"), 0o600), os.Symlink("conf", at("link"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want("directory /data: as it should be", "file /conf: as it should be", "copy /copy: as it should be", "link /link: as it should be")

	for _, err := range []error{os.Chmod(at("data"), 0o700), os.WriteFile(at("conf"), []byte("a\nc\n"), 0o644), os.Remove(at("copy")), os.Mkdir(at("copy"), 0o755),
		os.Remove(at("link")), os.Symlink("elsewhere", at("link"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want("directory /data: mode 0700 would become 0750", "file /conf: would be replaced", "    -c", "    +b", "copy /copy: the start would be refused: it is something else already",
		"link /link: would lead to conf, and leads to elsewhere")
}
