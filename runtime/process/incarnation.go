package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrHeld is what Start wraps while a process of an earlier incarnation lives. Clear ends such processes.
var ErrHeld = errors.New("an earlier incarnation still lives")

// lockPatience outlasts a child of ours that has a copy of a lock until its exec, on a host that is busy.
const lockPatience = 200 * time.Millisecond

var errNotClaimed = errors.New("it is not claimed by this supervisor")

// Incarnation is one process tree. Its methods may be called concurrently, Reap once and last.
type Incarnation struct {
	host     *Host
	service  string
	id       string
	leaf     *leaf // nil where there are no cgroups
	pid      int
	pidfd    *os.File
	notify   func(Event)
	report   *os.File      // read end of what the launcher reports; the exec closes the other
	ended    chan struct{} // closed once the leader is dead
	attended bool          // it is watched
	foreign  bool          // no child of ours: adopted, or handed on by who adopted it
	watched  chan struct{} // closed when that is over
	handing  atomic.Bool   // what happens from now on is the successor's to report (handover.go)
	heard    []byte        // of that, already
	program  string        // that a forker was to execute, and where
	told     bool          // what was heard was told; to be read once watched is closed
	executed bool          // and all of it was that it became the daemon, when Start returned
}

// Event is what happened to the leader. At most one of Executed and NotSane comes, and then Exited in any case.
type Event interface{ event() }

// Executed: the launcher has become the daemon.
type Executed struct{}

// NotSane: prepare or exec failed, and nothing of the daemon's ran. Reason is one line.
type NotSane struct{ Reason string }

// Exited: the leader is dead, as launcher or as daemon; its tree may live.
type Exited struct{ Status Status }

func (Executed) event() {}
func (NotSane) event()  {}
func (Exited) event()   {}

// Start spawns the launcher of one incarnation of a claimed service. It fails while anything of an earlier one lives
// (ErrHeld), and where the kernel has no room just now; the caller tries again later.
func (h *Host) Start(o Order) (*Incarnation, error) {
	i, err := h.start(o)
	if err != nil {
		return nil, fmt.Errorf("cannot start service %s: %w", o.Service, err)
	}
	return i, nil
}

func (h *Host) start(o Order) (*Incarnation, error) {
	if err := h.reclaim(o.Service); err != nil {
		return nil, err
	}
	if o.ID == "" || strings.ContainsAny(o.ID, "/\n\x00") || o.Output == nil || o.Spec == nil || len(o.Sockets) != o.Spec.Handed() {
		return nil, errors.New("its order is incomplete")
	}
	lock, err := h.takeLock(incarnationDir, o.Service, lockPatience)
	if errors.Is(err, errHeld) {
		return nil, h.heldBy(o.Service)
	}
	if err != nil {
		return nil, err
	}
	defer lock.Close() // the launcher holds it from here on

	i := &Incarnation{host: h, service: o.Service, id: o.ID, notify: o.Notify, ended: make(chan struct{}), watched: make(chan struct{})}
	if i.notify == nil {
		i.notify = func(Event) {}
	}
	if err := i.lead(o, lock); err != nil {
		return nil, err
	}
	i.attended = true
	go i.watch()
	return i, nil
}

// lead gets the incarnation its leader: the spare launcher, or one of its own.
func (i *Incarnation) lead(o Order, lock *os.File) error {
	h := i.host
	h.mu.Lock()
	h.live[i] = struct{}{}
	h.spawns++
	h.spawning++
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.spawning--
		h.mu.Unlock()
	}()
	made, err := i.startDirect(o, lock)
	if made {
		return nil
	}
	if err != nil {
		i.forget()
		return err
	}
	defer h.wantSpare()
	if i.startSpare(o, lock) {
		return nil
	}
	err = i.makeLeaf()
	if err == nil {
		i.limit(o)
		if err = i.spawn(o, lock); err != nil {
			err = errors.Join(err, i.removeLeaf())
		}
	}
	if err != nil {
		i.forget()
	}
	return err
}

// makeLeaf notes where the tree will be, then makes that place: in this order, so that no leaf is ever lost.
func (i *Incarnation) makeLeaf() error {
	h := i.host
	if h.cgroup != "" {
		i.leaf = &leaf{filepath.Join(h.cgroup, leafPrefix+i.service+"-"+i.id)}
	}
	if err := i.note(); err != nil {
		return err
	}
	if i.leaf == nil {
		return nil
	}
	if err := os.Mkdir(i.leaf.path, 0o755); err != nil {
		return errors.Join(fmt.Errorf("cannot make its cgroup: %w", err), h.removeNote(i.service))
	}
	return nil
}

func (i *Incarnation) note() error {
	n := note{}
	if i.leaf != nil {
		n.leaf = i.leaf.path
	}
	return i.host.writeNote(i.service, n)
}

// limit bounds the tree, or notes what it cannot.
func (i *Incarnation) limit(o Order) {
	for _, b := range bounds(&o.Spec.Limits) {
		err := errors.New("there is no cgroup")
		if i.leaf != nil {
			err = i.leaf.bound(b)
		}
		if err != nil {
			i.host.note(fmt.Sprintf("the %s limit of service %s is not enforced: %v", b.what, i.service, err))
		}
	}
}

func (i *Incarnation) removeLeaf() error {
	if i.leaf != nil {
		return i.leaf.remove()
	}
	return i.host.removeNote(i.service)
}

func (i *Incarnation) forget() {
	i.host.mu.Lock()
	defer i.host.mu.Unlock()
	delete(i.host.live, i)
}

// PID of the leader, which names it and nothing else until Reap.
func (i *Incarnation) PID() int { return i.pid }

// Signal sends the signal of that name, without SIG, to the leader alone. Before Executed the leader is the launcher,
// which dies of most signals. A dead leader is no error.
func (i *Incarnation) Signal(name string) error {
	sig := unix.SignalNum("SIG" + name)
	if sig == 0 {
		return fmt.Errorf("cannot send SIG%s to service %s: there is no such signal", name, i.service)
	}
	return i.send(sig)
}

func (i *Incarnation) send(sig syscall.Signal) error {
	if err := sendTo(i.pidfd, sig); err != nil && err != unix.ESRCH && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("cannot send %s to service %s (process %d): %w", signalName(sig), i.service, i.pid, err)
	}
	return nil
}

// watch reports the incarnation's events in order, in the goroutine that waits for its end.
func (i *Incarnation) watch() {
	defer close(i.watched)
	reported := make(chan struct{})
	if i.report == nil { // it was told in another program, or by the exec that Start waited for
		if i.executed {
			i.notify(Executed{})
		}
		close(reported)
	} else {
		go func() {
			defer close(reported)
			i.watchLauncher()
		}()
	}
	await := func() (Status, error) { return awaitEnd(i.pidfd, i.pid) }
	if i.foreign {
		await = func() (Status, error) { return awaitForeignEnd(i.pidfd) }
	}
	status, err := await()
	if errors.Is(err, os.ErrDeadlineExceeded) { // handed on
		<-reported
		return
	}
	if err != nil {
		status = Status{Code: Unseen} // someone else in this process waited for our child
	}
	// A dead leader's report is complete unless a child of the launcher is stuck before its own exec.
	if i.report != nil && !i.handing.Load() {
		_ = i.report.SetReadDeadline(time.Now().Add(time.Second))
	}
	<-reported
	close(i.ended)
	i.notify(Exited{status})
}

// watchLauncher reads the launcher's report to its end. Without a word the launcher was killed.
func (i *Incarnation) watchLauncher() {
	text, err := io.ReadAll(io.LimitReader(i.report, 64<<10))
	i.heard = append(i.heard, text...)
	if errors.Is(err, os.ErrDeadlineExceeded) && i.handing.Load() {
		return
	}
	i.report.Close()
	i.told = true
	switch reason, failed := strings.CutPrefix(strings.TrimPrefix(string(i.heard), reportExec), reportInsane); {
	case failed && i.program != "":
		i.notify(NotSane{unable(i.program, i.heard)})
	case failed:
		i.notify(NotSane{reason})
	case len(i.heard) > 0:
		i.notify(Executed{})
	}
}

func (i *Incarnation) dead() bool {
	select {
	case <-i.ended:
		return true
	default:
		return false
	}
}

// Reap releases the incarnation whose tree KillTree found empty: leader, cgroup and note.
func (i *Incarnation) Reap() error {
	if !i.dead() {
		return fmt.Errorf("cannot reap service %s: its process %d lives", i.service, i.pid)
	}
	if err := i.removeLeaf(); err != nil {
		return fmt.Errorf("cannot reap service %s: %w", i.service, err)
	}
	i.bury()
	return nil
}

func (i *Incarnation) bury() {
	if !i.foreign {
		reap(i.pid)
	}
	i.forget()
	i.pidfd.Close()
}
