package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/handover"
)

// Handed is what a Host leaves for that of the program that this process becomes by exec: claims and trees, with the
// descriptors that they are held by. Not a lock is let go.
type Handed struct {
	Claims map[string]int `json:"claims"` // descriptors of the locks, by service
	Trees  []HandedTree   `json:"trees,omitempty"`
	Notes  []string       `json:"notes,omitempty"`
}

// HandedTree is an incarnation. Its leader is a child of this process, dead or alive, until it is reaped, unless it is foreign.
type HandedTree struct {
	Service string `json:"service"`
	ID      string `json:"id"`
	Leaf    string `json:"leaf,omitempty"` // path; none where there are no cgroups
	PID     int    `json:"pid"`
	Started uint64 `json:"started"` // of the process, in the kernel's ticks
	PIDFD   int    `json:"pidfd"`
	Report  int    `json:"report,omitempty"`  // what its launcher reports; 0 where all was told
	Heard   []byte `json:"heard,omitempty"`   // of that
	Program string `json:"program,omitempty"` // that it was to become, where no launcher said so
	Foreign bool   `json:"foreign,omitempty"` // no child of this process
}

// Describe tells what Hand would hand on now.
func (h *Host) Describe() (Handed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	handed := Handed{Claims: map[string]int{}, Notes: slices.Clone(h.notes)}
	for service, lock := range h.claims {
		number, err := handover.Number(lock)
		if err != nil {
			return handed, err
		}
		handed.Claims[service] = number
	}
	for i := range h.live {
		if i.pidfd == nil {
			continue // just being spawned: whoever hands on has waited for that
		}
		tree, err := i.describe()
		if err != nil {
			return handed, err
		}
		handed.Trees = append(handed.Trees, tree)
	}
	return handed, nil
}

func (i *Incarnation) describe() (HandedTree, error) {
	tree := HandedTree{Service: i.service, ID: i.id, PID: i.pid, Program: i.program, Foreign: i.foreign}
	if i.leaf != nil {
		tree.Leaf = i.leaf.path
	}
	if p, ok := readProc(i.pid); ok {
		tree.Started = p.started
	}
	var err error
	if tree.PIDFD, err = handover.Number(i.pidfd); err != nil {
		return tree, err
	}
	if !i.handing.Load() {
		return tree, nil // what was heard belongs to who listens
	}
	if tree.Heard = i.heard; !i.told {
		tree.Report, err = handover.Number(i.report)
	}
	return tree, err
}

// Hand prepares for the exec: the spare launcher and the forker are ended, and no incarnation reports any more. There is no way back. The
// caller starts and ends nothing from now on.
func (h *Host) Hand() (Handed, error) {
	h.mu.Lock()
	h.closed = true // nothing is kept warm any more
	s := h.spare
	h.spare, h.forker = nil, nil
	for f := range h.forkers {
		f.socket.Close() // whoever listens to it sees to its end
	}
	var live []*Incarnation
	for i := range h.live {
		live = append(live, i)
	}
	h.mu.Unlock()
	if s != nil {
		h.discard(s)
	}
	h.making.Wait()
	for _, i := range live {
		i.hand()
	}
	return h.Describe()
}

// hand returns when the incarnation reports nothing any longer.
func (i *Incarnation) hand() {
	i.handing.Store(true)
	past := time.Unix(1, 0)
	if i.report != nil {
		_ = i.report.SetReadDeadline(past)
	}
	_ = i.pidfd.SetReadDeadline(past)
	if i.attended {
		<-i.watched
	}
}

// Descriptors are all that Handed speaks of.
func (d Handed) Descriptors() []int {
	var all []int
	for _, lock := range d.Claims {
		all = append(all, lock)
	}
	for _, tree := range d.Trees {
		all = append(all, tree.PIDFD)
		if tree.Report > 0 {
			all = append(all, tree.Report)
		}
	}
	return all
}

// Resume is NewHost for a process that was handed what another host had. Nothing is reported before Attend.
func Resume(options Options, handed Handed) (*Host, error) {
	ours, _ := children(os.Getpid()) // before there are any of this program's
	h, err := NewHost(options)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = handed.Notes
	for service, number := range handed.Claims {
		h.claims[service] = os.NewFile(uintptr(number), h.path(supervisorDir, service))
	}
	leaders := map[int]bool{}
	for _, tree := range handed.Trees {
		leaders[tree.PID] = true
		i, err := h.resume(tree)
		if err != nil {
			return nil, err
		}
		h.live[i] = struct{}{}
	}
	endStrays(ours, leaders)
	return h, nil
}

func (h *Host) resume(tree HandedTree) (*Incarnation, error) {
	i := &Incarnation{
		host: h, service: tree.Service, id: tree.ID, pid: tree.PID, heard: tree.Heard, program: tree.Program, told: tree.Report == 0, foreign: tree.Foreign,
		notify: func(Event) {}, ended: make(chan struct{}), watched: make(chan struct{}),
	}
	if tree.Leaf != "" {
		i.leaf = &leaf{tree.Leaf}
	}
	if p, ok := readProc(tree.PID); (!ok || p.started != tree.Started || p.parent != os.Getpid()) && !tree.Foreign {
		return nil, fmt.Errorf("cannot go on with service %s: process %d is not the child that was handed on", tree.Service, tree.PID)
	}
	for _, number := range []int{tree.PIDFD, tree.Report} {
		if number > 0 {
			if err := unix.SetNonblock(number, true); err != nil {
				return nil, errors.Join(fmt.Errorf("cannot go on with service %s", tree.Service), err)
			}
		}
	}
	i.pidfd = os.NewFile(uintptr(tree.PIDFD), "pidfd")
	if tree.Report > 0 {
		i.report = os.NewFile(uintptr(tree.Report), "report")
	}
	return i, nil
}

// Attend gives the incarnation of a service that was handed on to whoever notify tells of its end, and of what its launcher
// reports. It returns nil where the service has none.
func (h *Host) Attend(service string, notify func(Event)) *Incarnation {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.live {
		if i.service == service {
			if notify != nil {
				i.notify = notify
			}
			i.attended = true
			go i.watch()
			return i
		}
	}
	return nil
}

// endStrays ends the children that the predecessor ran for itself, as the commands of probes, and that nobody waits for any
// longer. They are those in our own session: what is in another is a tree's.
func endStrays(ours []int, leaders map[int]bool) {
	session, _ := unix.Getsid(0)
	for _, pid := range ours {
		p, ok := readProc(pid)
		if !ok || leaders[pid] || p.session != session || p.parent != os.Getpid() {
			continue
		}
		killPID(p)
		go func() { _, _ = unix.Wait4(pid, nil, 0, nil) }()
	}
}
