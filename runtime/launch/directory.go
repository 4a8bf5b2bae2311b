package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// Ownership is who a file belongs to and what its mode is. An empty owner or group is left alone.
type Ownership struct {
	Owner string    `json:"owner,omitempty"`
	Group string    `json:"group,omitempty"`
	Mode  plan.Mode `json:"mode"`
}

// Directory is a directory that has to be there, with its parents.
type Directory struct {
	Path string `json:"path"`
	Ownership
}

func (d *Directory) prepare() error {
	want, err := d.Ownership.lookUp()
	if err != nil {
		return fmt.Errorf("the directory %s: %w", d.Path, err)
	}
	if err := unled(d.Path); err != nil {
		return err
	}
	if err := d.make(); err != nil {
		return err
	}
	dir, err := os.OpenFile(d.Path, syscall.O_NOFOLLOW|syscall.O_DIRECTORY|unix.O_PATH, 0)
	if err != nil {
		return fmt.Errorf("the directory %s cannot be opened: %s", d.Path, reason(err))
	}
	defer dir.Close()
	return want.settle("the directory "+d.Path, dir)
}

// make creates the directory for us alone: it is opened to others once it belongs to whom it should.
func (d *Directory) make() error {
	info, err := os.Lstat(d.Path)
	switch {
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("the directory %s is a symbolic link, which is not followed", d.Path)
	case err == nil && !info.IsDir():
		return fmt.Errorf("the directory %s is something else already", d.Path)
	case err == nil:
		return nil
	}
	if err := makeParents(d.Path); err != nil {
		return err
	}
	if err := os.Mkdir(d.Path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the directory %s cannot be made: %s", d.Path, reason(err))
	}
	return nil
}

// makeParents makes the directory that path lies in. The umask is 022 by then.
func makeParents(path string) error {
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("the directory %s cannot be made: %s", parent, reason(err))
	}
	return nil
}

// unled refuses a link on the way to path that is not root's, when we are: whoever made it would lead us anywhere. Of a
// link that is put there while we work it knows nothing.
func unled(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for dir := filepath.Dir(path); len(dir) > 1; dir = filepath.Dir(dir) {
		var st unix.Stat_t
		if err := unix.Lstat(dir, &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK && st.Uid != 0 {
			return fmt.Errorf("the directory %s is a symbolic link that root did not make, which root does not follow", dir)
		}
	}
	return nil
}

// owned is an Ownership looked up on this host; -1 is leave alone.
type owned struct {
	uid, gid int
	mode     uint32
}

// lookUp leaves owner and group alone unless we are root: nobody else may give files away.
func (o Ownership) lookUp() (owned, error) {
	want := owned{-1, -1, uint32(o.Mode)}
	if os.Geteuid() != 0 {
		return want, nil
	}
	var err error
	if o.Owner != "" {
		if want.uid, err = userID(o.Owner); err != nil {
			return want, err
		}
	}
	if o.Group != "" {
		want.gid, err = groupID(o.Group)
	}
	return want, err
}

func (o owned) matches(st *unix.Stat_t) bool {
	return o.ownerMatches(st) && st.Mode&0o7777 == o.mode
}

func (o owned) ownerMatches(st *unix.Stat_t) bool {
	return (o.uid < 0 || st.Uid == uint32(o.uid)) && (o.gid < 0 || st.Gid == uint32(o.gid))
}

// settle changes owner and mode of an open file where they differ. The owner comes first, since a change of it clears
// set-user-id bits. The file may be open with O_PATH, which chmod and chown reach through /proc alone.
func (o owned) settle(what string, f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fmt.Errorf("%s cannot be examined: %s", what, reason(err))
	}
	if o.matches(&st) {
		return nil
	}
	self := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if !o.ownerMatches(&st) {
		if err := os.Chown(self, o.uid, o.gid); err != nil {
			return fmt.Errorf("%s cannot be given to its owner: %s", what, reason(err))
		}
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			return fmt.Errorf("%s cannot be examined: %s", what, reason(err))
		}
	}
	if st.Mode&0o7777 == o.mode {
		return nil
	}
	if err := unix.Chmod(self, o.mode); err != nil {
		return fmt.Errorf("%s cannot be given its mode: %s", what, reason(err))
	}
	return nil
}
