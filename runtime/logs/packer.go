package logs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sys/unix"
)

// packer compresses older copies, in a goroutine that lives while there is something to compress, on a thread that yields
// to every other: neither the daemon nor the disk queue waits for it. What it did not get to is done after the next
// rotation.
type packer struct {
	names   sync.Mutex // over the names of older copies, which a rotation changes,
	seen    bool       // and whether some are known to be compressed,
	looked  bool       // once it was looked for those of an earlier supervisor
	mu      sync.Mutex
	running bool
	again   bool
	closing bool
	done    sync.WaitGroup
	fails   func(error) // told of each error; nil for nobody
}

// start compresses all that is not, and is a hint where that is under way.
func (p *packer) start(path string) {
	p.names.Lock()
	p.seen = true
	p.names.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.again = true; p.running || p.closing {
		return
	}
	p.running = true
	p.done.Go(func() { p.run(path) })
}

// forms are those that older copies may have: every one costs a rotation a system call for each. names is held.
func (p *packer) forms(path string) []form {
	if !p.looked {
		found, _ := filepath.Glob(path + ".*.gz")
		p.looked, p.seen = true, p.seen || len(found) > 0
	}
	if p.seen {
		return []form{numbered, compressed}
	}
	return []form{numbered}
}

// close gives up what is under way, and waits for that.
func (p *packer) close() {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.done.Wait()
}

func (p *packer) isClosing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closing
}

func (p *packer) run(path string) {
	runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 19)
	for p.more() {
		for {
			n := p.oldest(path)
			if n == 0 || p.isClosing() {
				break
			}
			if err := p.pack(path, n); err != nil {
				if p.fails != nil && !p.isClosing() {
					p.fails(fmt.Errorf("cannot compress an older copy of %s: %w", path, reason(err)))
				}
				break
			}
		}
	}
}

// more reports whether start was called since it was last asked, and otherwise ends the goroutine's time.
func (p *packer) more() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	again := p.again && !p.closing
	p.again = false
	p.running = again
	return again
}

// oldest is the number of the oldest copy that is not compressed, or 0.
func (p *packer) oldest(path string) int {
	p.names.Lock()
	defer p.names.Unlock()
	found := 0
	for n := 1; ; n++ {
		if _, err := os.Lstat(numbered(path, n)); err == nil {
			found = n
		} else if _, err := os.Lstat(compressed(path, n)); err != nil {
			return found
		}
	}
}

// pack compresses the n-th copy beside it; by the time that is done it may have another number, or be gone.
func (p *packer) pack(path string, n int) error {
	from, err := os.OpenFile(numbered(path, n), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // rotated meanwhile
	}
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is no regular file")
	}
	temporary := path + ".gz.new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	defer os.Remove(temporary)
	if err := p.compress(from, info, temporary); err != nil {
		return err
	}
	return p.replace(path, info, temporary)
}

// compress keeps the times of the copy, by which readers know the order of files.
func (p *packer) compress(from *os.File, info os.FileInfo, temporary string) error {
	to, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer to.Close()
	z := gzip.NewWriter(to)
	z.ModTime = info.ModTime()
	if _, err := io.Copy(z, untilClosing{p, from}); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := to.Sync(); err != nil {
		return err
	}
	return os.Chtimes(temporary, info.ModTime(), info.ModTime())
}

// replace puts the compressed copy in the place of the plain one.
func (p *packer) replace(path string, info os.FileInfo, temporary string) error {
	p.names.Lock()
	defer p.names.Unlock()
	for n := 1; ; n++ {
		now, err := os.Lstat(numbered(path, n))
		if err == nil && os.SameFile(now, info) {
			if err := os.Rename(temporary, compressed(path, n)); err != nil {
				return err
			}
			return os.Remove(numbered(path, n))
		}
		if _, packed := os.Lstat(compressed(path, n)); err != nil && packed != nil {
			return nil // nobody keeps it any more
		}
	}
}

// untilClosing ends when the log is closed.
type untilClosing struct {
	p    *packer
	from io.Reader
}

func (r untilClosing) Read(b []byte) (int, error) {
	if r.p.isClosing() {
		return 0, errors.New("the log is closed")
	}
	return r.from.Read(b)
}
