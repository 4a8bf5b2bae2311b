// Package dirs says where a supervisor keeps its sockets, its state and its logs, and where clients look for them.
//
// Rules:
//   - $RECIPE_RUNTIME_DIR, $RECIPE_STATE_DIR and $RECIPE_LOG_DIR stand over everything and must be absolute.
//   - Root uses /run/recipe, /var/lib/recipe and /var/log/recipe, whatever XDG variables a login left behind.
//   - Anyone else uses $XDG_RUNTIME_DIR/recipe and $XDG_STATE_HOME/recipe (~/.local/state/recipe without it), with logs
//     in the state's log folder. What cannot be had that way lies in recipe-UID below $TMPDIR or /tmp.
//   - A folder that others could have planted is refused, never repaired: it must belong to the caller and be writable
//     by nobody else, and the one in a shared temporary folder must be closed to others altogether.
//
// Tests: a table of environments, and folders of the wrong owner, mode and type.
package dirs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Dirs are absolute, clean paths. Nothing says that the folders exist.
type Dirs struct {
	Runtime string // control sockets; gone after a boot
	State   string // what must survive a boot
	Logs    string

	system string
	shared string // the folder below a shared temporary folder that some of them are in, or ""
}

// Current resolves for this process's environment and effective user.
func Current() (Dirs, error) { return Resolve(os.Getenv, os.Geteuid()) }

// Resolve finds the folders of the user from environment variables, without looking at the disk.
func Resolve(getenv func(string) string, uid int) (Dirs, error) {
	d := Dirs{Runtime: "/run/recipe", State: "/var/lib/recipe", Logs: "/var/log/recipe"}
	if uid != 0 {
		d = ordinary(getenv, uid)
	}
	for _, override := range []struct {
		name string
		dir  *string
	}{{"RECIPE_RUNTIME_DIR", &d.Runtime}, {"RECIPE_STATE_DIR", &d.State}, {"RECIPE_LOG_DIR", &d.Logs}} {
		value := getenv(override.name)
		if value == "" {
			continue
		}
		if !filepath.IsAbs(value) {
			return Dirs{}, fmt.Errorf("cannot use $%s: %q is not an absolute path", override.name, value)
		}
		*override.dir = filepath.Clean(value)
		if override.dir == &d.Runtime {
			d.system = ""
		}
		if override.dir == &d.State && uid != 0 {
			d.Logs = filepath.Join(d.State, "log")
		}
	}
	return d, nil
}

func ordinary(getenv func(string) string, uid int) Dirs {
	temporary := getenv("TMPDIR")
	if !filepath.IsAbs(temporary) {
		temporary = "/tmp"
	}
	shared := filepath.Join(temporary, "recipe-"+strconv.Itoa(uid))
	d := Dirs{system: "/run/recipe", Runtime: shared, State: filepath.Join(shared, "state"), shared: shared}
	// The XDG specification has relative values ignored.
	if dir := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		d.Runtime = filepath.Join(dir, "recipe")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		d.State = filepath.Join(home, ".local/state/recipe")
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		d.State = filepath.Join(dir, "recipe")
	}
	d.Logs = filepath.Join(d.State, "log")
	return d
}

// Make creates what is missing, the runtime and state folders with mode 0700 and the logs' with 0750, and refuses what
// Check refuses.
func (d Dirs) Make() error {
	for _, dir := range []struct {
		path string
		mode fs.FileMode
	}{{d.shared, 0o700}, {d.Runtime, 0o700}, {d.State, 0o700}, {d.Logs, 0o750}} {
		if dir.path == "" || dir.path == d.shared && !d.usesShared() {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(dir.path), 0o755); err != nil {
			return fmt.Errorf("cannot make %s: %w", dir.path, err)
		}
		if err := os.Mkdir(dir.path, dir.mode); err != nil && !os.IsExist(err) {
			return fmt.Errorf("cannot make %s: %w", dir.path, err)
		}
		if err := d.check(dir.path, os.Geteuid()); err != nil {
			return err
		}
	}
	return nil
}

// Open lets other users find the sockets in the runtime folder; whom these let in is up to them. What else is there must
// be closed by itself.
func (d Dirs) Open() error {
	if d.Runtime == d.shared {
		return fmt.Errorf("cannot open %s to a group: it lies where anyone may write; set RECIPE_RUNTIME_DIR to a folder elsewhere", d.Runtime)
	}
	if err := os.Chmod(d.Runtime, 0o755); err != nil {
		return fmt.Errorf("cannot open %s to a group: %w", d.Runtime, err)
	}
	return nil
}

// System is where root's supervisors are, for another user who may be let in there; "" where the environment says
// where to look, and for root.
func (d Dirs) System() string { return d.system }

// CheckRuntime is for clients: it refuses a runtime folder in which someone other than the caller or root could have
// put a socket. One that is not there is no error. Root may look into anyone's.
func (d Dirs) CheckRuntime() error {
	if os.Geteuid() == 0 {
		return nil
	}
	if err := d.check(d.Runtime, os.Geteuid()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d Dirs) usesShared() bool {
	return d.Runtime == d.shared || d.State == filepath.Join(d.shared, "state")
}

// check judges a folder by its own inode: a link in the last element is refused.
func (d Dirs) check(path string, uid int) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("cannot use %s: %w", path, err)
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	mode := info.Mode()
	closed := fs.FileMode(0o022)
	if path == d.shared {
		closed = 0o077
	}
	switch {
	case !mode.IsDir():
		return fmt.Errorf("cannot use %s: it is not a directory; move it away or set RECIPE_RUNTIME_DIR and RECIPE_STATE_DIR", path)
	case owner != uid && owner != 0:
		return fmt.Errorf("cannot use %s: it belongs to user %d, not to %d; set RECIPE_RUNTIME_DIR and RECIPE_STATE_DIR to folders of your own", path, owner, uid)
	case mode.Perm()&closed != 0:
		return fmt.Errorf("cannot use %s: others may enter or change it (mode %04o); look what is in it, then chmod 700 it", path, mode.Perm())
	}
	return nil
}
