package process

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A forker is our own executable, kept warm, that makes daemons for which nothing has to be prepared (launch.Direct): it
// clones a child of the supervisor's, into its leaf, and that does between clone and exec what a launcher would do. So a
// start costs a clone and the daemon's exec; by a launcher it costs an exec of our executable besides. Whatever a forker
// cannot do, or the kernel refuses it, is done by a launcher, which says why if it cannot either.
type forker struct {
	*child
	socket   *os.File
	patience time.Duration // for an answer

	mu      sync.Mutex
	orders  uint64                 // how many there were
	waiting map[uint64]chan answer // by the order's number; closed when the forker is dead
	dead    bool
	proven  bool // has made a child
}

// forkPatience is how long a clone may take before its forker is given up: longer than a busy host makes it wait, since no
// child holds a forker up.
const forkPatience = 5 * time.Second

// forkerPause is how long there is none after one that was good for nothing.
const forkerPause = 10 * time.Second

var (
	errNotMade  = errors.New("there is no forker")
	errNotAsked = errors.New("the forker could not be asked")
	errNoAnswer = errors.New("the forker ended before it had answered")
	errStuck    = errors.New("the forker neither answers nor ends")
)

// theForker makes one where there is none. It is nil where none can be had just now.
func (h *Host) theForker() *forker {
	h.makingForker.Lock()
	defer h.makingForker.Unlock()
	h.mu.Lock()
	f, able := h.forker, canFork && !h.options.NoForker && !h.closed
	if !able || f == nil && time.Now().Before(h.forkerDue) {
		f, able = nil, false
	}
	if f != nil || !able {
		h.mu.Unlock()
		return f
	}
	h.spawns++
	h.spawning++
	h.making.Add(1)
	h.mu.Unlock()

	f, err := h.spawnForker()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spawning--
	if err != nil {
		h.making.Done()
		h.forkerDue = time.Now().Add(forkerPause)
		return nil
	}
	h.forkers[f] = struct{}{}
	if h.closed {
		f.socket.Close()
	} else {
		h.forker = f
	}
	go h.listen(f)
	return h.forker
}

func (h *Host) spawnForker() (*forker, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(pair[1])
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		unix.Close(pair[0])
		return nil, err
	}
	defer null.Close()
	files := []uintptr{null.Fd(), null.Fd(), uintptr(pair[1])}
	c, err := h.clone([]string{forkerName, h.hash}, h.marker("", forkerName), files, -1)
	if err != nil {
		unix.Close(pair[0])
		return nil, err
	}
	c.report.Close()
	_ = unix.SetNonblock(pair[0], true)
	f := &forker{socket: os.NewFile(uintptr(pair[0]), "forker"), patience: forkPatience, waiting: map[uint64]chan answer{}}
	f.child, err = f.made()
	if err != nil {
		_ = sendTo(c.pidfd, unix.SIGKILL)
		f.socket.Close()
	}
	_, _ = awaitEnd(c.pidfd, c.pid)
	reap(c.pid)
	c.pidfd.Close()
	return f, err
}

// made waits until what makes the forker has done so.
func (f *forker) made() (*child, error) {
	var told answer
	_ = f.socket.SetReadDeadline(time.Now().Add(f.patience))
	if n, err := f.socket.Read(told.bytes()); err != nil || n != len(told.bytes()) || told.errno != 0 {
		return nil, errNotMade
	}
	_ = f.socket.SetReadDeadline(time.Time{})
	pidfd, err := unix.PidfdOpen(int(told.pid), unix.O_NONBLOCK) // our child as well: the pid is its own until it is reaped
	if err != nil {
		return nil, err
	}
	return &child{pid: int(told.pid), pidfd: os.NewFile(uintptr(pidfd), "pidfd")}, nil
}

func (a *answer) bytes() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(a)), unsafe.Sizeof(*a)) }

// listen hands out the answers, until the forker is dead.
func (h *Host) listen(f *forker) {
	defer h.making.Done()
	for f.hear() {
	}
	h.drop(f)
	_ = f.kill()
	_, _ = awaitEnd(f.pidfd, f.pid)
	f.mu.Lock()
	f.dead = true
	for _, waiter := range f.waiting {
		close(waiter)
	}
	f.mu.Unlock()
	h.mu.Lock()
	delete(h.forkers, f)
	reap(f.pid)
	h.mu.Unlock()
	f.socket.Close()
	f.pidfd.Close()
}

// hear takes one answer.
func (f *forker) hear() bool {
	var told answer
	if n, err := f.socket.Read(told.bytes()); err != nil || n != len(told.bytes()) {
		return false
	}
	f.mu.Lock()
	waiter := f.waiting[told.number]
	delete(f.waiting, told.number)
	f.proven = f.proven || told.errno == 0
	f.mu.Unlock()
	if waiter != nil {
		waiter <- told
	}
	return true
}

func (f *forker) kill() error { return sendTo(f.pidfd, unix.SIGKILL) }

// drop has no more asked of a forker.
func (h *Host) drop(f *forker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.forker != f {
		return
	}
	h.forker = nil
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.proven {
		h.forkerDue = time.Now().Add(forkerPause)
	}
}

// ask has a daemon made. It returns the child's pid, or what the kernel said, or one of the errors above: of all but the
// first the child may be there. One that answers too late is ended, so that it does nothing any more. meanwhile is called while
// it works; nil for nothing.
func (f *forker) ask(order []byte, files []int, meanwhile func()) (pid int, err error) {
	waiter := make(chan answer, 1)
	f.mu.Lock()
	if f.dead {
		f.mu.Unlock()
		return 0, errNotAsked
	}
	f.orders++
	number := f.orders
	f.waiting[number] = waiter
	f.mu.Unlock()
	head(order).Number = number
	if err := f.send(order, unix.UnixRights(files...)); err != nil {
		f.mu.Lock()
		delete(f.waiting, number)
		f.mu.Unlock()
		return 0, errNotAsked
	}
	if meanwhile != nil {
		meanwhile()
	}
	timer := time.NewTimer(f.patience)
	defer timer.Stop()
	for kills := 0; ; kills++ {
		select {
		case told, ok := <-waiter:
			switch {
			case !ok:
				return 0, errNoAnswer
			case told.errno != 0:
				return 0, unix.Errno(told.errno)
			}
			return int(told.pid), nil
		case <-timer.C:
			if kills > 0 {
				return 0, errStuck
			}
			_ = f.kill()
			timer.Reset(f.patience)
		}
	}
}

func (f *forker) send(order, rights []byte) error {
	conn, err := f.socket.SyscallConn()
	if err != nil {
		return err
	}
	_ = f.socket.SetWriteDeadline(time.Now().Add(f.patience))
	failed := conn.Write(func(fd uintptr) bool {
		err = unix.Sendmsg(int(fd), order, rights, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		return err != unix.EAGAIN
	})
	return cmp.Or(failed, err)
}

// noClone are what kernels and sandboxes say that know no such clone.
var noClone = []error{unix.ENOSYS, unix.EINVAL, unix.E2BIG, unix.EOPNOTSUPP, unix.EPERM}

// cannotFork leaves everything to launchers, on a host where a forker has never made a child and is told that it cannot.
func (h *Host) cannotFork(f *forker, err error) {
	f.mu.Lock()
	proven := f.proven
	f.mu.Unlock()
	if proven || !slices.Contains(noClone, err) {
		return
	}
	h.mu.Lock()
	h.options.NoForker, h.unforked = true, err
	h.mu.Unlock()
	f.socket.Close()
}
