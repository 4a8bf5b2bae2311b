package process

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
)

// Known tells of a running incarnation what Adopt needs, without descriptors; there is none of one without a cgroup, which
// alone holds together what is no child of the supervisor's.
func (i *Incarnation) Known() (tree HandedTree, ok bool) {
	p, alive := readProc(i.pid)
	if !alive || p.dead() || i.leaf == nil {
		return tree, false
	}
	return HandedTree{Service: i.service, ID: i.id, PID: i.pid, Started: p.started, Leaf: i.leaf.path}, true
}

// Adopt takes over an incarnation of a claimed service that an earlier supervisor started and was killed before it ended: it
// is nobody's child that could tell how it ends. The leader must be the process that was known, alive and in the leaf that is noted; else nothing is
// touched, and the error says why. Nothing is reported before Attend.
func (h *Host) Adopt(tree HandedTree, spec *launch.Spec) error {
	i, err := h.adopted(tree)
	if err != nil {
		return fmt.Errorf("process %d of service %s: %w", tree.PID, tree.Service, err)
	}
	i.limit(Order{Service: tree.Service, Spec: spec}) // controllers may have been taken away meanwhile
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live[i] = struct{}{}
	return nil
}

// Abandon undoes Adopt before Attend.
func (h *Host) Abandon(service string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.live {
		if i.service == service {
			i.pidfd.Close()
			delete(h.live, i)
		}
	}
}

func (h *Host) adopted(tree HandedTree) (*Incarnation, error) {
	if h.cgroup == "" || tree.Leaf == "" {
		return nil, errors.New("no cgroup holds it together")
	}
	if h.runs(tree.Service) {
		return nil, errors.New("this supervisor has started it")
	}
	n, err := h.readNote(tree.Service)
	if err != nil {
		return nil, err
	}
	if n == nil || n.leaf != tree.Leaf {
		return nil, errors.New("its cgroup is not that of the last incarnation")
	}
	fd, err := unix.PidfdOpen(tree.PID, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, errors.New("it has ended")
	}
	i := &Incarnation{
		host: h, service: tree.Service, id: tree.ID, leaf: &leaf{tree.Leaf}, pid: tree.PID, pidfd: os.NewFile(uintptr(fd), "pidfd"), told: true, foreign: true,
		notify: func(Event) {}, ended: make(chan struct{}), watched: make(chan struct{}),
	}
	p, ok := readProc(tree.PID)
	if !ok || p.dead() || p.started != tree.Started || !i.inLeaf() {
		i.pidfd.Close()
		return nil, errors.New("it has ended")
	}
	return i, nil
}

// inLeaf is Belongs for the leader.
func (i *Incarnation) inLeaf() bool {
	for _, p := range i.leaf.members() {
		if p.pid == i.pid {
			return true
		}
	}
	return false
}

// Unseen is the Code of a process whose end nobody could see.
const Unseen = -1

// awaitForeignEnd is awaitEnd for a process that is no child of ours: how it ended is told by Linux 6.15 and later, once its
// parent has reaped it.
func awaitForeignEnd(pidfd *os.File) (Status, error) {
	conn, err := pidfd.SyscallConn()
	if err != nil {
		return Status{}, err
	}
	err = conn.Read(func(fd uintptr) bool {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(ready, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
	if err != nil {
		return Status{}, err
	}
	const patience, pause = 250 * time.Millisecond, 2 * time.Millisecond // for its parent
	for waited := time.Duration(0); waited < patience; waited += pause {
		status, again := foreignStatus(pidfd)
		if !again {
			return status, nil
		}
		time.Sleep(pause)
	}
	return Status{Code: Unseen}, nil
}

// pidfdInfo is the first version of the kernel's struct pidfd_info.
type pidfdInfo struct {
	mask, cgroup uint64
	ids          [11]uint32
	exit         int32
}

// foreignStatus reports again where the process was not reaped yet.
func foreignStatus(pidfd *os.File) (status Status, again bool) {
	const (
		getInfo  = 0xC0_40_FF_0B // _IOWR(PIDFS_IOCTL_MAGIC, 11, 64 bytes)
		infoExit = 1 << 3
	)
	info := pidfdInfo{mask: infoExit}
	conn, err := pidfd.SyscallConn()
	if err != nil {
		return Status{Code: Unseen}, false
	}
	var errno error
	if err := conn.Control(func(fd uintptr) {
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, fd, getInfo, uintptr(unsafe.Pointer(&info))); e != 0 {
			errno = e
		}
	}); err != nil || errno == unix.ENOTTY || errno == unix.EINVAL {
		return Status{Code: Unseen}, false // an older kernel
	}
	if errno != nil || info.mask&infoExit == 0 {
		return Status{}, true
	}
	w := unix.WaitStatus(info.exit)
	if w.Signaled() {
		return Status{Signal: w.Signal(), Core: w.CoreDump()}, false
	}
	return Status{Code: w.ExitStatus()}, false
}
