package watch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// What is to be told of each kind of place. A directory through which a path only goes tells that it was moved or removed,
// and is silent about what it holds; one of which an entry matters tells of names, and is silent about what is written.
const (
	ofWay   = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
	ofEntry = ofWay | unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB
	ofFile  = ofWay | unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_ATTRIB
)

// hint is one notification: of the entry of that name in what is watched, or of the thing itself where name is empty.
type hint struct {
	watch int
	mask  uint32
	name  string
}

// overflow says that notifications were lost.
func (h hint) overflow() bool { return h.mask&unix.IN_Q_OVERFLOW != 0 }

// notify is an inotify instance of the kernel's. Its reader is a goroutine that the poller holds.
type notify struct {
	file  *os.File
	fd    int
	hints chan []hint
	done  chan struct{}
}

func newNotify() (*notify, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, refused(err)
	}
	n := &notify{file: os.NewFile(uintptr(fd), "inotify"), fd: fd, hints: make(chan []hint), done: make(chan struct{})}
	go n.read()
	return n, nil
}

// refused says why nothing is told, and the setting that has to grow.
func refused(err error) error {
	switch err {
	case unix.EMFILE:
		err = fmt.Errorf("%w: fs.inotify.max_user_instances are in use", err)
	case unix.ENOSPC:
		err = fmt.Errorf("%w: fs.inotify.max_user_watches are in use", err)
	}
	return fmt.Errorf("the kernel refuses to tell of changes: %w", err)
}

// add watches what is at path itself, for more than before where it is watched already. The kernel gives one number to one
// thing, by whatever path it is reached.
func (n *notify) add(path string, mask uint32) (watch int, err error) {
	return unix.InotifyAddWatch(n.fd, path, mask|unix.IN_MASK_ADD|unix.IN_DONT_FOLLOW)
}

// remove may come after the kernel's own removal, of what is gone.
func (n *notify) remove(watch int) { _, _ = unix.InotifyRmWatch(n.fd, uint32(watch)) }

func (n *notify) close() {
	close(n.done)
	n.file.Close()
}

func (n *notify) read() {
	var buffer [4096]byte // more than the longest notification, which has a name of 255 bytes
	for {
		size, err := n.file.Read(buffer[:])
		if err != nil {
			return
		}
		select {
		case n.hints <- parse(buffer[:size]):
		case <-n.done:
			return
		}
	}
}

// parse reads what the kernel wrote: a header of four numbers (watch, mask, cookie, length), and a name that is filled up
// with zeros.
func parse(b []byte) (hints []hint) {
	for len(b) >= unix.SizeofInotifyEvent {
		order := binary.NativeEndian
		h := hint{watch: int(int32(order.Uint32(b))), mask: order.Uint32(b[4:])}
		length := int(order.Uint32(b[12:]))
		b = b[unix.SizeofInotifyEvent:]
		if length < 0 || length > len(b) {
			break
		}
		name, _, _ := bytes.Cut(b[:length], []byte{0})
		h.name, b = string(name), b[length:]
		hints = append(hints, h)
	}
	return hints
}
