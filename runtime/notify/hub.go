package notify

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Listener is who hears of one service. Its methods are called in the goroutine that hears for all: they must not block, nor
// call the Ear.
type Listener interface {
	// Belongs tells whether the process is one of the service's.
	Belongs(pid int) bool
	Hear(Message)
	// Strange tells of a message that was dropped: of a stranger, or, with the reason, of the service itself.
	Strange(pid int, reason string)
}

// The most messages of one service in a second; then the rest of that second is not listened to.
const mostMessages = 500

// Hub hears for all services of a process. The zero Hub is ready, and costs nothing before the first Ear.
type Hub struct {
	mu     sync.Mutex
	poll   *os.File // an epoll descriptor that Go's own poller watches
	fd     int
	ears   map[int32]*Ear
	closed bool
}

// Ear is one socket or pipe. Close gives it up.
type Ear struct {
	hub  *Hub
	take func(fd int) (more bool) // one message

	socket bool

	mu      sync.Mutex
	fd      int // -1 once closed
	heard   int // messages since
	since   time.Time
	strange atomic.Int64
}

// Identify has the kernel say who speaks, of each message that is sent from now on.
func Identify(file *os.File) error {
	if err := unix.SetsockoptInt(int(file.Fd()), unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		return fmt.Errorf("cannot ask the kernel who speaks: %w", err)
	}
	return nil
}

// Socket hears the messages that come through a datagram socket that Identify was called with. The file stays the caller's to
// close.
func (h *Hub) Socket(file *os.File, l Listener) (*Ear, error) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("cannot listen to a service: %w", err)
	}
	e := &Ear{hub: h, fd: fd, socket: true}
	e.take = func(fd int) bool { return e.receive(fd, l) }
	return h.add(e)
}

// Pipe hears one line, of which nothing but its end matters: ready is called once, with false where the pipe was closed
// without it, as a Listener is. The other end is for the daemon, and the caller's to close.
func (h *Hub) Pipe(ready func(bool)) (*Ear, *os.File, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("cannot make a pipe: %w", err)
	}
	if err := unix.SetNonblock(ends[0], true); err != nil {
		unix.Close(ends[0])
		unix.Close(ends[1])
		return nil, nil, fmt.Errorf("cannot make a pipe: %w", err)
	}
	e := &Ear{hub: h, fd: ends[0]}
	e.take = func(fd int) bool { return e.line(fd, ready) }
	if _, err := h.add(e); err != nil {
		unix.Close(ends[1])
		return nil, nil, err
	}
	return e, os.NewFile(uintptr(ends[1]), "readiness"), nil
}

func (h *Hub) add(e *Ear) (*Ear, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.open()
	if err == nil {
		err = h.watch(e.fd)
	}
	if err != nil {
		unix.Close(e.fd)
		return nil, fmt.Errorf("cannot listen to a service: %w", err)
	}
	h.ears[int32(e.fd)] = e
	return e, nil
}

func (h *Hub) watch(fd int) error {
	return unix.EpollCtl(h.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// open starts the goroutine. mu is held.
func (h *Hub) open() error {
	if h.closed {
		return os.ErrClosed
	}
	if h.poll != nil {
		return nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that Go's poller takes it
	}
	if err != nil {
		return err
	}
	h.poll, h.fd, h.ears = os.NewFile(uintptr(fd), "notify"), fd, map[int32]*Ear{}
	conn, err := h.poll.SyscallConn()
	if err != nil {
		return err
	}
	go conn.Read(func(fd uintptr) bool { h.round(int(fd)); return false }) // until Close
	return nil
}

// round hears until nobody speaks: the poller tells of what comes after that. Of each who speaks it takes a few messages at
// a time.
func (h *Hub) round(fd int) {
	var events [32]unix.EpollEvent
	for {
		n, err := unix.EpollWait(fd, events[:], 0)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
		for _, event := range events[:n] {
			h.mu.Lock()
			e := h.ears[event.Fd]
			h.mu.Unlock()
			if e != nil {
				e.hearSome()
			}
		}
	}
}

// Close ends the goroutine. Ears that are left hear nothing any more.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	poll := h.poll
	h.mu.Unlock()
	if poll != nil {
		poll.Close()
	}
}

// hearSome takes what is there, but leaves one alone that has said too much.
func (e *Ear) hearSome() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fd < 0 {
		return
	}
	for range 32 {
		if !e.take(e.fd) {
			break
		}
		e.heard++
	}
	if now := time.Now(); now.Sub(e.since) > time.Second {
		e.since, e.heard = now, 0
	}
	if e.heard > mostMessages && e.fd >= 0 {
		_ = unix.EpollCtl(e.hub.fd, unix.EPOLL_CTL_DEL, e.fd, nil)
		time.AfterFunc(time.Second, e.again)
	}
}

func (e *Ear) again() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fd >= 0 {
		e.heard = 0
		_ = e.hub.watch(e.fd) // that is refused only where it is watched already
	}
}

// Drain hears what has been said until now, before it returns: at most what a queue holds.
func (e *Ear) Drain() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for range mostMessages {
		if e.fd < 0 || !e.take(e.fd) {
			return
		}
	}
}

// Dropped is how many messages were.
func (e *Ear) Dropped() int { return int(e.strange.Load()) }

// Close may be called twice.
func (e *Ear) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.close()
}

func (e *Ear) close() {
	if e.fd < 0 {
		return
	}
	e.hub.mu.Lock()
	delete(e.hub.ears, int32(e.fd))
	e.hub.mu.Unlock()
	_ = unix.EpollCtl(e.hub.fd, unix.EPOLL_CTL_DEL, e.fd, nil) // which fails where it rests
	unix.Close(e.fd)
	e.fd = -1
}
