package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Symlink is a link that has to lead to Target, which need not be there.
type Symlink struct {
	Path   string `json:"path"`
	Target string `json:"target"`
}

func (l *Symlink) prepare(service string) error {
	if err := unled(l.Path); err != nil {
		return err
	}
	if err := makeParents(l.Path); err != nil {
		return err
	}
	temporary, err := clearTemporary(l.Path, service)
	if err != nil {
		return err
	}
	info, err := os.Lstat(l.Path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the link %s cannot be examined: %s", l.Path, reason(err))
	case err == nil && info.Mode()&fs.ModeSymlink == 0:
		return fmt.Errorf("the link %s is something else already, which is not replaced: move it away", l.Path)
	case err == nil:
		if target, err := os.Readlink(l.Path); err == nil && target == l.Target {
			return nil
		}
	}
	err = os.Symlink(l.Target, temporary)
	if err == nil {
		err = os.Rename(temporary, l.Path)
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(l.Path))
	}
	if err != nil {
		os.Remove(temporary)
		return fmt.Errorf("the link %s cannot be made: %s", l.Path, reason(err))
	}
	return nil
}
