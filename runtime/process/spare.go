package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// A spare is a launcher that was spawned before there was any use for it, in a leaf of its own, and waits for its
// orders: of the time from a daemon's death to its successor's exec, the start of our own executable is by far the
// most. It reads them from a socket, with three descriptors and the daemon's sockets, and exits at the end of that: no supervisor, no spare.
//
// There is one for the whole host, made some time after each start by a launcher, so that it competes with no daemon that starts. A
// start that finds none spawns its launcher itself.
type spare struct {
	*child
	leaf   *leaf
	socket int
}

// spareDelay lets a daemon start in peace, and makes one spare after a burst of starts, not one for each.
const spareDelay = 30 * time.Millisecond

const spareService = "spare"

// fillers keep the descriptors of a spare's process where the daemon will find its sockets from being given to Go's poller,
// which would not survive that they are replaced.
const fillers = 3 + plan.MostSockets - (ordersFD + 1)

// wantSpare has one made soon.
func (h *Host) wantSpare() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.options.NoSpare || h.closed || h.spare != nil || h.spareComing {
		return
	}
	h.spareComing = true
	time.AfterFunc(spareDelay, h.makeSpare)
}

func (h *Host) makeSpare() {
	h.mu.Lock()
	h.spareComing = false
	if h.closed {
		h.mu.Unlock()
		return
	}
	h.spawns++
	h.spawning++
	h.making.Add(1)
	defer h.making.Done()
	h.mu.Unlock()

	s, err := h.spawnSpare()
	h.mu.Lock()
	h.spawning--
	wanted := err == nil && !h.closed && h.spare == nil
	if wanted {
		h.spare = s
	}
	h.mu.Unlock()
	if err == nil && !wanted { // whoever finds none spawns for himself, and says why that cannot be done
		h.discard(s)
	}
}

func (h *Host) spawnSpare() (*spare, error) {
	s := &spare{}
	if h.cgroup != "" {
		s.leaf = &leaf{filepath.Join(h.cgroup, leafPrefix+spareService+"-"+randomID())}
		if err := os.Mkdir(s.leaf.path, 0o755); err != nil {
			return nil, err
		}
	}
	if err := h.cloneSpare(s); err != nil {
		s.removeLeaf()
		return nil, err
	}
	return s, nil
}

// removeLeaf leaves what it cannot remove to the next supervisor.
func (s *spare) removeLeaf() {
	if s.leaf != nil {
		_ = s.leaf.remove()
	}
}

func (h *Host) cloneSpare(s *spare) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pair[1])
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err == nil {
		defer null.Close()
		s.socket = pair[0]
		s.child, err = h.into(s.leaf, func(cgroup int) (*child, error) {
			if cgroup < 0 && s.leaf != nil {
				return nil, unix.EOPNOTSUPP // a spare that had to be moved would save nothing
			}
			marker := h.marker("", spareService)
			files := append([]uintptr{null.Fd(), null.Fd(), uintptr(pair[1])}, slices.Repeat([]uintptr{null.Fd()}, fillers)...)
			return h.clone([]string{launcherName, spareService}, marker, files, cgroup)
		})
	}
	if err != nil {
		unix.Close(pair[0])
	}
	return err
}

// takeSpare makes a spare that lives the incarnation's leader, in one step for whoever looks at our children.
func (h *Host) takeSpare(i *Incarnation) *spare {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.spare
	if s == nil {
		return nil
	}
	h.spare = nil
	i.leaf, i.pid, i.pidfd, i.report = s.leaf, s.pid, s.pidfd, s.report
	return s
}

// startSpare gives the incarnation to a spare. It reports false where there is none that lives.
func (i *Incarnation) startSpare(o Order, lock *os.File) bool {
	h := i.host
	s := h.takeSpare(i)
	if s == nil {
		return false
	}
	err := i.note()
	if err == nil {
		i.limit(o)
		err = s.command(i.orders(o), o, lock)
	}
	if err == nil {
		return true
	}
	h.discard(s)
	h.mu.Lock()
	defer h.mu.Unlock()
	i.leaf, i.pid, i.pidfd, i.report = nil, 0, nil, nil
	return false
}

// command gives the spare its orders. They are in a file, so that sending them cannot block.
func (s *spare) command(text orders, o Order, lock *os.File) error {
	paper, err := writeOrders(text)
	if err != nil {
		return err
	}
	defer paper.Close()
	files := []int{int(paper.Fd()), int(o.Output.Fd()), int(lock.Fd())}
	for _, fd := range numbers(o.Sockets) {
		files = append(files, int(fd))
	}
	rights := unix.UnixRights(files...)
	err = unix.Sendmsg(s.socket, []byte{'!'}, rights, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	unix.Close(s.socket)
	s.socket = -1
	return err
}

// discard ends a spare that is not to become a leader.
func (h *Host) discard(s *spare) {
	if s.socket >= 0 {
		unix.Close(s.socket)
	}
	_ = unix.Kill(s.pid, unix.SIGKILL)
	_, _ = awaitEnd(s.pidfd, s.pid)
	reap(s.pid)
	s.pidfd.Close()
	s.report.Close()
	s.removeLeaf()
}

// receiveOrders is the spare's side: it waits, takes on the output that it is given, and returns the descriptors of its
// orders, its lock and the daemon's sockets.
func receiveOrders() (given descriptors, err error) {
	_ = json.Unmarshal([]byte(`{"spec":{"argv":["a"],"env":["b"],"limits":{"nofile":1}}}`), &orders{}) // a dry run warms caches
	var data [1]byte
	control := make([]byte, unix.CmsgSpace((3+plan.MostSockets)*4))
	n, size := 0, 0
	for {
		n, size, _, _, err = unix.Recvmsg(ordersFD, data[:], control, unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return given, err
	}
	if n == 0 {
		os.Exit(0) // the supervisor is gone, or has no use for us
	}
	messages, err := unix.ParseSocketControlMessage(control[:size])
	if err != nil || len(messages) != 1 {
		return given, fmt.Errorf("%d messages came: %w", len(messages), err)
	}
	files, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(files) < 3 {
		return given, fmt.Errorf("%d descriptors came: %w", len(files), err)
	}
	given = descriptors{paper: files[0], lock: files[2], sockets: files[3:]}
	return given, errors.Join(unix.Dup3(files[1], 1, 0), unix.Dup3(files[1], 2, 0))
}
