package launch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Copy is a file with the bytes of another. With Once, one that is there is kept whatever it holds.
type Copy struct {
	Source string `json:"source"`
	Path   string `json:"path"`
	Once   bool   `json:"once,omitempty"`
	Ownership
}

func (c *Copy) prepare(ctx context.Context, service string) error {
	if c.Once {
		if there, err := regular(c.Path); there != nil || err != nil {
			return err
		}
	}
	source, err := c.open()
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return fmt.Errorf("the file %s cannot be read: %s", c.Source, reason(err))
	}
	f := written{path: c.Path, ownership: c.Ownership, content: &interruptible{ctx, source}, size: info.Size()}
	err = f.prepare(service)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// open follows links to the source, by root only those that root made: the copy may be for other eyes than the source.
func (c *Copy) open() (*os.File, error) {
	if err := unled(c.Source); err != nil {
		return nil, err
	}
	flags := os.O_RDONLY | syscall.O_NONBLOCK
	var st unix.Stat_t
	switch err := unix.Lstat(c.Source, &st); {
	case err == nil && st.Mode&unix.S_IFMT != unix.S_IFLNK:
		flags |= syscall.O_NOFOLLOW
	case err == nil && os.Geteuid() == 0 && st.Uid != 0:
		return nil, fmt.Errorf("the file %s is a symbolic link that root did not make, which root does not follow", c.Source)
	}
	info, err := os.Stat(c.Source)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s to copy to %s", c.Source, c.Path)
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file, and cannot be copied", c.Source)
	}
	f, err := os.OpenFile(c.Source, flags, 0)
	if err != nil {
		return nil, fmt.Errorf("the file %s cannot be read: %s", c.Source, reason(err))
	}
	return f, nil
}

// interruptible ends a long copy when the launcher is to end. It hides the file, which the kernel would copy at one go.
type interruptible struct {
	ctx  context.Context
	file *os.File
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.file.Read(p)
}

func (r *interruptible) Seek(offset int64, whence int) (int64, error) {
	return r.file.Seek(offset, whence)
}
