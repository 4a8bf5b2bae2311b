package notify

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Release hears no more, and returns the descriptor, which is the caller's from now on; -1 where it was closed.
func (e *Ear) Release() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	fd := e.fd
	if fd < 0 {
		return fd
	}
	e.hub.mu.Lock()
	delete(e.hub.ears, int32(fd))
	e.hub.mu.Unlock()
	_ = unix.EpollCtl(e.hub.fd, unix.EPOLL_CTL_DEL, fd, nil) // which fails where it rests
	e.fd = -1
	return fd
}

// Descriptor is the ear's, which stays its own; -1 where it was closed.
func (e *Ear) Descriptor() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fd
}

// IsSocket tells an ear of Socket from one of Pipe.
func (e *Ear) IsSocket() bool { return e.socket }

// Line goes on with a pipe that was made by Pipe, and released. The file stays the caller's to close.
func (h *Hub) Line(file *os.File, ready func(bool)) (*Ear, error) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen to a service: %w", err)
	}
	e := &Ear{hub: h, fd: fd}
	e.take = func(fd int) bool { return e.line(fd, ready) }
	return h.add(e)
}
