package watch

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// maxSize is the largest file that is read, in bytes. Recipes and flags files have kilobytes.
const maxSize = 8 << 20

// state is what is reported of a file; the zero state is of one that was never read.
type state struct {
	known, exists bool
	sum           [sha256.Size]byte
	problem       string
}

// look is what a stat told of a file when it was read. It is trusted only when the file was a while old by then: two
// writes within one tick of the file system's clock look alike.
type look struct {
	dev, ino     uint64
	size         int64
	mtime, ctime syscall.Timespec
	problem      string
	young        bool
}

// A second and a half is more than the coarsest clock of a file system that runs services.
const settled = 1500 * time.Millisecond

// stale reports whether the file may have changed since.
func (l look) stale(path string) bool {
	info, err := os.Stat(path)
	now := lookOf(info, err)
	now.young = l.young
	return l.young || now != l
}

func lookOf(info os.FileInfo, err error) look {
	if err != nil {
		return look{problem: reason(err)}
	}
	st := info.Sys().(*syscall.Stat_t)
	return look{
		dev: uint64(st.Dev), ino: st.Ino, size: st.Size, mtime: st.Mtim, ctime: st.Ctim,
		young: time.Since(time.Unix(st.Ctim.Unix())).Abs() < settled,
	}
}

// read tells what is at the path now. The stat is taken before the bytes, so that a write in between is seen by the next.
func (f *file) read() (Event, state, look) {
	path, which := f.path, ""
	take := slurp
	if f.folder {
		take = names
	}
	content, seen, err := take(path)
	switch {
	case err == nil:
		if f.folder {
			which = fmt.Sprintf("%d:%d", seen.dev, seen.ino)
		}
		return Event{Path: path, Content: content, Exists: true, Folder: which}, state{known: true, exists: true, sum: sha256.Sum256(append([]byte(which), content...))}, seen
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return Event{Path: path}, state{known: true}, seen
	}
	err = fmt.Errorf("cannot read %s: %s", path, reason(err))
	return Event{Path: path, Exists: true, Err: err}, state{known: true, exists: true, problem: err.Error()}, seen
}

func slurp(path string) ([]byte, look, error) {
	// Opened without blocking: a named pipe in the file's place would wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		info, statErr := os.Stat(path)
		return nil, lookOf(info, statErr), err
	}
	defer f.Close()
	info, err := f.Stat()
	seen := lookOf(info, err)
	switch {
	case err != nil:
		return nil, seen, err
	case !info.Mode().IsRegular():
		return nil, seen, errors.New("it is no regular file")
	case info.Size() > maxSize:
		return nil, seen, errTooLarge
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(content) > maxSize {
		err = errTooLarge
	}
	return content, seen, err
}

// names lists a folder.
func names(path string) ([]byte, look, error) {
	info, err := os.Stat(path)
	seen := lookOf(info, err)
	if err != nil {
		return nil, seen, err
	}
	entries, err := os.ReadDir(path)
	var list []byte
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			list = append(append(list, e.Name()...), '\n')
		}
	}
	return list, seen, err
}

var errTooLarge = fmt.Errorf("it is larger than %d MiB", maxSize>>20)

// reason is an error without the operation and the path that os adds.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
