package launch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Template is a file with a text of ours.
type Template struct {
	Path string `json:"path"`
	Text string `json:"text"`
	Ownership
}

// prepare replaces the file, by rename, unless it is what it should be already.
func (t *Template) prepare(service string) error {
	want, err := t.Ownership.lookUp()
	if err != nil {
		return fmt.Errorf("the file %s: %w", t.Path, err)
	}
	if err := unled(t.Path); err != nil {
		return err
	}
	if err := makeParents(t.Path); err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(t.Path), ".recipe-"+service+".new")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the file %s cannot be removed: %s", temporary, reason(err))
	}
	same, err := t.same(want)
	if err != nil || same {
		return err
	}
	if err := t.write(temporary, want); err != nil {
		os.Remove(temporary)
		return fmt.Errorf("the file %s cannot be written: %s", t.Path, reason(err))
	}
	return nil
}

// same compares bytes, mode and owner.
func (t *Template) same(want owned) (bool, error) {
	info, err := os.Lstat(t.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("the file %s cannot be examined: %s", t.Path, reason(err))
	case info.Mode()&fs.ModeSymlink != 0:
		return false, fmt.Errorf("the file %s is a symbolic link, which is not followed", t.Path)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("the file %s is something else already", t.Path)
	case info.Size() != int64(len(t.Text)):
		return false, nil
	}
	f, err := os.OpenFile(t.Path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, nil // a file of ours that we may not read is replaced
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || !want.matches(&st) {
		return false, nil
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(len(t.Text))+1))
	return err == nil && string(data) == t.Text, nil
}

func (t *Template) write(temporary string, want owned) error {
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.WriteString(f, t.Text); err != nil {
		return err
	}
	if err := unix.Fchown(int(f.Fd()), want.uid, want.gid); err != nil {
		return err
	}
	if err := unix.Fchmod(int(f.Fd()), want.mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(temporary, t.Path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(t.Path))
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
