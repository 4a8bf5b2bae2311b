package logs

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// Collector reads what all services of a process say. One goroutine waits for all of them, parked in the runtime's poller
// while all are silent; only a service that has much to say, or is held back, gets one of its own for as long as that
// lasts. Its methods may be called concurrently.
type Collector struct {
	epoll  *os.File
	ended  chan struct{} // closed when the goroutine is gone
	memory memory
	disks  crew
	tees   crew

	forwards crew
	syslog   outlet
	journald outlet

	answers chan struct{} // what the goroutine was asked, see Answers

	mu      sync.Mutex
	sources map[int32]*source
	token   int32             // of the last source
	open    map[*Log]struct{} // logs that have their file open
	tidying bool              // a timer will tidy up
}

// tidyAfter is how long a file stays open, and memory stays mapped, that nobody uses; twice that at most.
const tidyAfter = 2 * time.Second

// NewCollector starts the goroutine. An error is one of the descriptors that the process may have.
func NewCollector() (*Collector, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that the runtime's poller takes it
	}
	if err != nil {
		return nil, fmt.Errorf("cannot wait for the output of services: %w", err)
	}
	c := &Collector{epoll: os.NewFile(uintptr(fd), "logs"), ended: make(chan struct{}), sources: map[int32]*source{}, answers: make(chan struct{}, 1),
		disks: crew{most: 8}, tees: crew{most: 2}, forwards: crew{most: 2},
		syslog: outlet{path: "/dev/log"}, journald: outlet{path: "/run/systemd/journal/socket"}}
	go c.wait()
	return c, nil
}

// Close ends the goroutine. The logs are to be closed before.
func (c *Collector) Close() {
	c.epoll.Close()
	<-c.ended
	c.syslog.close()
	c.journald.close()
}

func (c *Collector) outlet(to plan.LogForward) *outlet {
	if to == plan.ForwardJournald {
		return &c.journald
	}
	return &c.syslog
}

// wait reads what services say, until Close.
func (c *Collector) wait() {
	defer close(c.ended)
	conn, err := c.epoll.SyscallConn()
	if err != nil {
		return // closed already
	}
	events := make([]unix.EpollEvent, 64)
	conn.Read(func(fd uintptr) bool {
		for {
			n, err := unix.EpollWait(int(fd), events, 0)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 {
				return false
			}
			for _, e := range events[:n] {
				if e.Fd == questionToken {
					c.answer()
					continue
				}
				c.mu.Lock()
				s := c.sources[e.Fd]
				c.mu.Unlock()
				if s != nil {
					s.ready()
				}
			}
		}
	})
}

// questionToken is nobody's source.
const questionToken = -1

// Answers reports whether the goroutine that reads for all services comes to answer within that time. One question at a time.
func (c *Collector) Answers(within time.Duration) bool {
	fd, err := unix.Eventfd(1, unix.EFD_CLOEXEC)
	if err != nil {
		return true // there is no descriptor to ask with
	}
	defer unix.Close(fd)
	select {
	case <-c.answers: // too late, by the one who was asked before
	default:
	}
	conn, err := c.epoll.SyscallConn()
	if err == nil {
		err = conn.Control(func(epoll uintptr) {
			_ = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: questionToken})
		})
	}
	if err != nil {
		return true // closed
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-c.answers:
	case <-c.ended:
	case <-late.C:
		return false
	}
	return true
}

func (c *Collector) answer() {
	select {
	case c.answers <- struct{}{}:
	default:
	}
}

// add has the source read from now on.
func (c *Collector) add(s *source) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token++
	s.token = c.token
	c.sources[s.token] = s
	if err := c.control(unix.EPOLL_CTL_ADD, s, unix.EPOLLIN); err != nil {
		delete(c.sources, s.token)
		return err
	}
	return nil
}

// remove has the source read no more.
func (c *Collector) remove(s *source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sources, s.token)
	_ = c.control(unix.EPOLL_CTL_DEL, s, 0)
}

// listen sets whether the goroutine is woken by the source.
func (c *Collector) listen(s *source, listen bool) {
	events := uint32(0)
	if listen {
		events = unix.EPOLLIN
	}
	_ = c.control(unix.EPOLL_CTL_MOD, s, events)
}

// control fails where the source is not there, or the collector is closed.
func (c *Collector) control(operation int, s *source, events uint32) (err error) {
	conn, err := c.epoll.SyscallConn()
	if err != nil {
		return err
	}
	e := unix.EpollEvent{Events: events, Fd: s.token}
	gone := conn.Control(func(fd uintptr) { err = unix.EpollCtl(int(fd), operation, s.fd, &e) })
	if gone != nil {
		return gone
	}
	return err
}

// used has the log's file closed some time after it was last written to.
func (c *Collector) used(l *Log) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[*Log]struct{}{}
	}
	c.open[l] = struct{}{}
	if !c.tidying {
		c.tidying = true
		time.AfterFunc(tidyAfter, c.tidy)
	}
}

// tidy closes files and gives back memory. It is called again while there are files open, and never while all is silent.
func (c *Collector) tidy() {
	c.mu.Lock()
	logs := c.open
	c.open = nil
	c.mu.Unlock()
	for l := range logs {
		if !l.rest() {
			c.used(l)
		}
	}
	c.memory.trim()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tidying = len(c.open) > 0; c.tidying {
		time.AfterFunc(tidyAfter, c.tidy)
	}
}
