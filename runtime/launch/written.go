package launch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// written is a file that a step brings about.
type written struct {
	path      string
	ownership Ownership
	content   io.ReadSeeker // read from its start
	size      int64         // of content
}

// prepare replaces the file, by rename, unless it is what it should be already.
func (f *written) prepare(service string) error {
	want, err := f.ownership.lookUp()
	if err != nil {
		return fmt.Errorf("the file %s: %w", f.path, err)
	}
	if err := unled(f.path); err != nil {
		return err
	}
	if err := makeParents(f.path); err != nil {
		return err
	}
	temporary, err := clearTemporary(f.path, service)
	if err != nil {
		return err
	}
	same, err := f.same(want)
	if err != nil || same {
		return err
	}
	if err := f.write(temporary, want); err != nil {
		os.Remove(temporary)
		return fmt.Errorf("the file %s cannot be written: %s", f.path, reason(err))
	}
	return nil
}

// clearTemporary returns the name that the service uses beside path, which means nothing now.
func clearTemporary(path, service string) (string, error) {
	temporary := filepath.Join(filepath.Dir(path), ".recipe-"+service+".new")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the file %s cannot be removed: %s", temporary, reason(err))
	}
	return temporary, nil
}

// same compares bytes, mode and owner.
func (f *written) same(want owned) (bool, error) {
	info, err := regular(f.path)
	if info == nil || info.Size() != f.size {
		return false, err
	}
	there, err := os.OpenFile(f.path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, nil // a file of ours that we may not read is replaced
	}
	defer there.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(there.Fd()), &st); err != nil || !want.matches(&st) {
		return false, nil
	}
	return sameBytes(there, f.content)
}

// regular tells about a file that a step may replace; nil is none. What else has the name is an error.
func regular(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the file %s cannot be examined: %s", path, reason(err))
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("the file %s is a symbolic link, which is not followed", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("the file %s is something else already", path)
	}
	return info, nil
}

// sameBytes reads two files at once. One that cannot be read is another.
func sameBytes(there, wanted io.Reader) (bool, error) {
	var a, b [32 << 10]byte
	for {
		n, err := io.ReadFull(there, a[:])
		m, other := io.ReadFull(wanted, b[:])
		if !bytes.Equal(a[:n], b[:m]) {
			return false, nil
		}
		if err != nil || other != nil {
			return ended(err) && ended(other), nil
		}
	}
}

func ended(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

func (f *written) write(temporary string, want owned) error {
	if _, err := f.content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	new, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer new.Close()
	if _, err := io.Copy(new, f.content); err != nil {
		return err
	}
	if err := unix.Fchown(int(new.Fd()), want.uid, want.gid); err != nil {
		return err
	}
	if err := unix.Fchmod(int(new.Fd()), want.mode); err != nil {
		return err
	}
	if err := new.Sync(); err != nil {
		return err
	}
	if err := os.Rename(temporary, f.path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(f.path))
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
