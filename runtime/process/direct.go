package process

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
)

// execPatience is how long a start waits for the daemon's exec: if that fails, a launcher is to say why. One that takes
// longer, as on a hung file system, goes on by itself.
const execPatience = time.Second

// startDirect has a forker make the daemon. It reports false where a launcher must; nothing is left of what it tried then.
func (i *Incarnation) startDirect(o Order, lock *os.File) (bool, error) {
	text := i.orders(o)
	d, ok := text.Spec.Direct()
	if !ok {
		return false, nil
	}
	order, ok := writeOrder(d)
	if !ok {
		return false, nil
	}
	f := i.host.theForker()
	if f == nil {
		return false, nil
	}
	if err := i.makeLeaf(); err != nil {
		return false, err
	}
	i.limit(o)
	made, err := i.fork(f, order, o, lock)
	if made {
		return true, nil
	}
	err = errors.Join(err, i.removeLeaf())
	i.leaf = nil
	return false, err
}

// fork asks for the daemon and waits for its exec.
func (i *Incarnation) fork(f *forker, order []byte, o Order, lock *os.File) (made bool, err error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return false, err
	}
	report := os.NewFile(uintptr(pipe[0]), "report")
	defer func() {
		if !made {
			report.Close()
		}
	}()
	files := []int{int(o.Output.Fd()), int(lock.Fd()), pipe[1]}
	if i.leaf != nil {
		folder, err := unix.Open(i.leaf.path, unix.O_DIRECTORY|unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			unix.Close(pipe[1])
			return false, err
		}
		defer unix.Close(folder)
		files = append(files, folder)
	}
	pid, err := f.ask(order, files, o.Meanwhile)
	unix.Close(pipe[1])
	switch err {
	case nil:
	case errNoAnswer, errStuck:
		return false, i.sweep()
	default:
		i.host.cannotFork(f, err)
		return false, nil
	}
	pidfd, err := unix.PidfdOpen(pid, unix.O_NONBLOCK)
	if err != nil { // no descriptor is left
		err = errors.Join(err, unix.Kill(pid, unix.SIGKILL), i.sweep())
		reap(pid)
		return false, err
	}
	c := &child{pid, os.NewFile(uintptr(pidfd), "pidfd"), report}
	failed, complete := c.failed(&i.heard)
	if failed {
		i.heard = nil
		_, _ = awaitEnd(c.pidfd, pid)
		reap(pid)
		c.pidfd.Close()
		return false, nil
	}
	i.program = o.Spec.Argv[0]
	if o.Spec.WorkDir != "" { // which may as well be what cannot be had
		i.program += " in " + o.Spec.WorkDir
	}
	if complete {
		report.Close()
		c.report, i.told, i.executed = nil, true, len(i.heard) > 0
	}
	i.adopt(c)
	return true, nil
}

// unable is the reason of a daemon that was not executed after all, when a launcher cannot be asked any more.
func unable(program string, report []byte) string {
	var errno unix.Errno
	if at := len(report) - 4; at > 0 {
		errno = unix.Errno(binary.NativeEndian.Uint32(report[at:]))
	}
	return launch.Unable(program, errno)
}

// failed waits a while for the end of the report, and tells whether it is that of an exec that failed, and whether it came.
func (c *child) failed(heard *[]byte) (failed, complete bool) {
	_ = c.report.SetReadDeadline(time.Now().Add(execPatience))
	text, err := io.ReadAll(c.report)
	*heard = text
	if err != nil {
		_ = c.report.SetReadDeadline(time.Time{})
	}
	return slices.Contains(text, reportInsane[0]), err == nil
}

// sweepPatience is how long a start waits for the end of what it cannot tell from a daemon.
const sweepPatience = time.Second

var errUnknown = errors.New("what was started and not heard of again does not end")

// sweep ends whatever an order made of which nobody knows what came of it.
func (i *Incarnation) sweep() error {
	for deadline := time.Now().Add(sweepPatience); ; time.Sleep(time.Millisecond) {
		var left []proc
		var err error
		if i.leaf != nil { // it is cloned into that
			left, err = i.leaf.killAll()
		} else {
			left = i.host.killHolders(i.service)
		}
		if err == nil && len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(err, errUnknown)
		}
	}
}

// writeOrder lays out what a forker reads. It reports false where that would be too much.
func writeOrder(d *launch.Direct) ([]byte, bool) {
	h := orderHead{
		Limits: uint32(len(d.Limits)), Arguments: uint32(len(d.Argv)), Variables: uint32(len(d.Env)), Umask: uint32(d.Umask),
	}
	var groups []uint32
	if d.Account != nil {
		groups = d.Account.Groups
		h.Groups, h.UID, h.GID, h.Account = uint32(len(groups)), d.Account.Uid, d.Account.Gid, 1
	}
	text := append(make([]byte, 0, 4096), unsafe.Slice((*byte)(unsafe.Pointer(&h)), headSize)...)
	for _, l := range d.Limits {
		text = append(text, unsafe.Slice((*byte)(unsafe.Pointer(&limitOrder{l.Resource, l.Value})), unsafe.Sizeof(limitOrder{}))...)
	}
	for _, group := range groups {
		text = append(text, unsafe.Slice((*byte)(unsafe.Pointer(&group)), 4)...)
	}
	for _, s := range slices.Concat([]string{d.WorkDir}, d.Argv, d.Env) {
		text = append(append(text, s...), 0)
	}
	return text, len(text) <= mostOrder && len(d.Argv)+len(d.Env) <= mostStrings
}
