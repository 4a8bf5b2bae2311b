package pack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openSource opens a regular file below the recipe's folder. It does not wait for the writer of a pipe.
func openSource(sources *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := sources.OpenFile(filepath.FromSlash(name), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("cannot pack %s: there is no such file in %s; is there a build step that makes it?", name, sources.Name())
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot pack %s: %w", name, reason(err))
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("cannot pack %s: %w", name, err)
	}
	return f, info, nil
}

// reason leaves out of an error what the message around it says already.
func reason(err error) error {
	if at := new(fs.PathError); errors.As(err, &at) {
		return at.Err
	}
	return err
}

// copySource copies what info promised, and fails when the file is not, or no longer, what it was.
func copySource(w io.Writer, f *os.File, info fs.FileInfo, name string) error {
	changed := fmt.Errorf("cannot pack %s: it changed while it was read; is a build still running?", name)
	if _, err := io.CopyN(w, f, info.Size()); err == io.EOF {
		return changed
	} else if err != nil {
		return fmt.Errorf("cannot pack %s: %w", name, err)
	}
	after, err := f.Stat()
	if err != nil {
		return fmt.Errorf("cannot pack %s: %w", name, err)
	}
	if after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime()) {
		return changed
	}
	return nil
}
