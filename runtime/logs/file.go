package logs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

const (
	longLine   = 64 << 10    // bytes, from which on a line may be split between two files
	checkEvery = time.Second // whether the file still has its name
)

// file is SERVICE.log and its older copies.
type file struct {
	dir, path string
	f         *os.File // nil: to be opened
	id        fileID   // of what was opened last
	size      int64
	line      int // bytes of the unfinished last line
	checked   time.Time
	opened    bool      // once, by this supervisor
	born      time.Time // of the one with the id
	now       func() time.Time
	packer    *packer     // of older copies; nil before the first rotation
	fails     func(error) // of the packer
	stuck     time.Time   // when a rotation failed,
	rotation  error       // and why; nil since the last that did not
}

// fileID tells one file from another, whatever their names.
type fileID struct{ device, inode uint64 }

func idOf(info os.FileInfo) fileID {
	st := info.Sys().(*syscall.Stat_t)
	return fileID{st.Dev, st.Ino}
}

// append writes p, over as many files as it takes, and returns how much was written; to be called again with the rest. A
// file that cannot be rotated grows: the error is returned although all was written.
func (o *file) append(p []byte, limits plan.Logs) (int, error) {
	written := 0
	for written < len(p) {
		if err := o.ready(); err != nil {
			return written, err
		}
		rest := p[written:]
		fit := o.fit(rest, int64(limits.Size))
		if fit == 0 || o.aged(limits.MaxAge) {
			if o.rotation = o.rotate(limits.Keep); o.rotation != nil {
				o.stuck = o.now()
			} else if limits.Compress {
				o.packer.start(o.path)
			}
			continue
		}
		n, err := o.f.Write(rest[:fit])
		o.account(rest[:n])
		written += n
		if err != nil {
			o.close()
			return written, fmt.Errorf("cannot write %s: %w", o.path, reason(err))
		}
	}
	return written, o.rotation
}

// fit is how much of p goes into this file; 0 means that it is full and must be rotated first.
func (o *file) fit(p []byte, size int64) int {
	left := size - o.size
	if int64(len(p)) <= left || o.now().Sub(o.stuck) < checkEvery {
		return len(p)
	}
	if left > 0 {
		if end := bytes.LastIndexByte(p[:left], '\n'); end >= 0 {
			return end + 1
		}
	}
	if o.size > 0 && (o.line == 0 || o.line >= longLine) {
		return 0
	}
	// A line that has been begun here, or that no file holds: it goes on to its end, within bounds.
	p = p[:min(len(p), max(1, longLine-o.line))]
	if end := bytes.IndexByte(p, '\n'); end >= 0 {
		return end + 1
	}
	return len(p)
}

// aged reports whether the file was begun so long ago that the next line belongs into another.
func (o *file) aged(most plan.Duration) bool {
	return most > 0 && o.size > 0 && o.line == 0 && o.now().Sub(o.born) > most.Std() && o.now().Sub(o.stuck) >= checkEvery
}

func (o *file) account(p []byte) {
	o.size += int64(len(p))
	if end := bytes.LastIndexByte(p, '\n'); end >= 0 {
		o.line = len(p) - end - 1
	} else {
		o.line += len(p)
	}
}

// ready opens the file where that is needed: at first, after an error, and when its name has come to mean another one.
// A line that has been begun is ended in the file where it was.
func (o *file) ready() error {
	if o.f != nil {
		if o.line > 0 && o.line < longLine || o.now().Sub(o.checked) < checkEvery {
			return nil
		}
		o.checked = o.now()
		info, err := os.Lstat(o.path)
		if err == nil && idOf(info) == o.id {
			o.size = info.Size() // somebody may have truncated it
			return nil
		}
		o.close()
	}
	return o.open()
}

func (o *file) open() error {
	f, err := openAppend(o.path)
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(o.dir, 0o750); err == nil {
			f, err = openAppend(o.path)
		}
	}
	if err != nil {
		return fmt.Errorf("cannot open %s: %w", o.path, reason(err))
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("cannot open %s: %w", o.path, reason(err))
	}
	o.f, o.checked = f, o.now()
	// It may be the one that was closed while there was nothing to write. File systems use numbers again.
	id := idOf(info)
	if id != o.id || info.Size() < o.size {
		o.id, o.line, o.born = id, 0, time.Time{}
	}
	if o.born.IsZero() {
		o.born = o.birth(info)
	}
	o.size = info.Size()
	if !o.opened && o.size > 0 {
		return o.endFormer()
	}
	o.opened = true
	return nil
}

// endFormer ends the line in which a supervisor before us was cut off.
func (o *file) endFormer() error {
	var last [1]byte
	_, err := o.f.ReadAt(last[:], o.size-1)
	if err == nil && last[0] != '\n' {
		_, err = o.f.WriteString("\n")
		o.size++
	}
	if err != nil {
		o.close()
		return fmt.Errorf("cannot continue %s: %w", o.path, reason(err))
	}
	o.opened = true
	return nil
}

// openAppend follows no link and waits for nobody: a link or a named pipe in the file's place is an error.
func openAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o640)
}

// birth is when the file was made, or first written by us where the file system does not keep that.
func (o *file) birth(info os.FileInfo) time.Time {
	var st unix.Statx_t
	err := unix.Statx(int(o.f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 || info.Size() == 0 {
		return o.now()
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))
}

// rotate renames .log.1 to .log.2 and so on up to the first number that is free, then .log to .log.1. Whatever is older
// than keep goes.
func (o *file) rotate(keep int) error {
	if o.packer == nil {
		o.packer = &packer{fails: o.fails}
	}
	o.packer.names.Lock()
	defer o.packer.names.Unlock()
	forms := o.packer.forms(o.path)
	for n := keep + 1; removeCopy(o.path, n, forms); n++ {
	}
	var err error
	for n := min(firstFree(o.path, forms), keep); n > 1 && err == nil; n-- {
		err = moveCopy(o.path, n-1, n, forms)
	}
	switch {
	case err != nil:
	case keep > 0:
		err = moveCopy(o.path, 0, 1, forms)
	default:
		err = os.Remove(o.path)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot rotate %s, it grows beyond its size: %w", o.path, reason(err))
	}
	o.close()
	o.id, o.line = fileID{}, 0
	return nil
}

// endPacking gives up what is being compressed.
func (o *file) endPacking() {
	if o.packer != nil {
		o.packer.close()
	}
}

func (o *file) close() {
	if o.f != nil {
		o.f.Close()
		o.f = nil
	}
}

// firstFree is the lowest number of which there is no copy. Those below it have to move, however many may be kept.
func firstFree(path string, forms []form) int {
	for n := 1; ; n++ {
		taken := false
		for _, name := range forms {
			_, err := os.Lstat(name(path, n))
			taken = taken || err == nil
		}
		if !taken {
			return n
		}
	}
}

// removeCopy reports whether there was one.
func removeCopy(path string, n int, forms []form) bool {
	removed := false
	for _, name := range forms {
		removed = os.Remove(name(path, n)) == nil || removed
	}
	return removed
}

// moveCopy renames a copy in whichever form it has, and with it replaces that of the other number.
func moveCopy(path string, from, to int, forms []form) error {
	for i, name := range forms {
		if from == 0 && i > 0 {
			break // what is written to is never compressed
		}
		err := os.Rename(name(path, from), name(path, to))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err == nil && len(forms) > 1 {
			os.Remove(forms[1-i](path, to))
		}
	}
	return nil
}

// form is how the n-th older copy is named.
type form = func(path string, n int) string

// compressed is the path of the n-th older copy once gzip has had it.
func compressed(path string, n int) string { return numbered(path, n) + ".gz" }

// numbered is the path of the n-th older copy; 0 is the file itself.
func numbered(path string, n int) string {
	if n == 0 {
		return path
	}
	return path + "." + strconv.Itoa(n)
}

// reason is an error without the operation and the paths that os adds.
func reason(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
