package launch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// openTempDir is a temporary folder that other users may enter.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// install puts the daemon of most plans below root, under a name that says what it does.
func install(t *testing.T, root string) {
	t.Helper()
	mkdir(t, filepath.Join(root, "bin"))
	if err := os.Link(filepath.Join(shared, "recorder"), filepath.Join(root, "bin/recorder")); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

// write makes a file with its folder. No process is forked meanwhile: it would hold the file open for writing, and
// whoever runs it would find it busy.
func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// giveAway makes everything below root nobody's, the shared daemon aside.
func giveAway(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) == "recorder" {
			return err
		}
		return os.Lchown(path, 65534, 65534)
	})
	if err != nil {
		t.Fatal(err)
	}
}
