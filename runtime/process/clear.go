package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// Leftover is a process of an earlier supervisor's that was ended.
type Leftover struct {
	PID     int
	Command string // how it was called
}

// Left tells whether an earlier supervisor may have left anything of a service that this one has claimed and not started yet.
// It costs a few system calls.
func (h *Host) Left(service string) bool {
	c, err := h.clearing(service)
	return c != nil || err != nil
}

// Clear ends whatever an earlier supervisor left of a service that this one has claimed and not started yet, by SIGKILL at
// once: dying at any instant is legal. It tells met of each process that it meets, and stuck, time and again, which do not die,
// and returns how many it met, when nothing of it is left or ctx has ended. Where cgroups alone do not do it looks at every process of the machine, and
// shares its looks with the Clears of other services.
func (h *Host) Clear(ctx context.Context, service string, met func(Leftover), stuck func(members []int)) (int, error) {
	c, err := h.clearing(service)
	if c == nil && err == nil {
		return 0, nil
	}
	if err == nil {
		c.tell = met
		h.census.add(service)
		defer h.census.remove(service)
		err = untilEmpty(ctx, nil, func() { stuck(c.left) }, c.round)
	}
	if err == nil && c.leaf != nil {
		err = c.leaf.remove()
	}
	if err == nil {
		err = h.removeNote(service)
	}
	switch {
	case err == nil:
		return len(c.found), nil
	case c == nil:
		return 0, fmt.Errorf("cannot clear service %s: %w", service, err)
	case len(c.left) > 0:
		err = fmt.Errorf("%s left: %w", describe(c.left), err)
	}
	return len(c.found), fmt.Errorf("cannot clear what an earlier supervisor left of %s: %w", service, err)
}

// clearing is the state of one Clear.
type clearing struct {
	host    *Host
	service string
	leaf    *leaf // nil for none
	scan    bool  // look for lock and marker, since the leaf is not the whole
	tell    func(Leftover)
	found   map[int]bool // by pid
	left    []int        // of the last round
	killed  killed
}

// clearing returns nil where nothing can be left: no lock, and no note or that of a leaf that is gone.
func (h *Host) clearing(service string) (*clearing, error) {
	if !h.claimed(service) {
		return nil, errNotClaimed
	}
	if h.runs(service) {
		return nil, errors.New("this supervisor has started it")
	}
	n, err := h.readNote(service)
	if err != nil {
		return nil, err
	}
	free, err := h.lockFree(service)
	if err != nil {
		return nil, err
	}
	if free && (n == nil || n.leaf != "" && unix.Access(n.leaf, unix.F_OK) == unix.ENOENT) {
		return nil, nil
	}
	c := &clearing{host: h, service: service, scan: n == nil || n.leaf == "", found: map[int]bool{}, killed: killed{}}
	if !c.scan {
		if c.leaf, err = h.foundLeaf(n.leaf); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (h *Host) runs(service string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.live {
		if i.service == service {
			return true
		}
	}
	return false
}

// foundLeaf makes sure that a noted path is in a cgroup2, whatever has been mounted since.
func (h *Host) foundLeaf(path string) (*leaf, error) {
	l := leaf{path}
	if _, err := os.Lstat(path); os.IsNotExist(err) {
		return &l, nil
	} else if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(path, "cgroup.events")); err != nil {
		return nil, fmt.Errorf("%s is noted as its cgroup but is none: remove it if nothing runs there", path)
	}
	return &l, nil
}

// round kills what it sees. It is empty when nothing was seen and nobody holds the lock.
func (c *clearing) round(int) (empty bool, err error) {
	c.left = nil
	if c.leaf != nil {
		left, err := c.leaf.killAll()
		c.met(left)
		if err != nil || len(left) > 0 {
			return false, err
		}
	}
	free, err := c.host.lockFree(c.service)
	if err == nil && (c.scan || !free) {
		if err = c.killScanned(); err == nil {
			free, err = c.host.lockFree(c.service)
		}
	}
	return err == nil && free && len(c.left) == 0 && c.killed.gone(), err
}

// killScanned kills what the whole machine has of the service, by lock or marker, and all below that.
func (c *clearing) killScanned() error {
	seen, err := c.host.census.take(c.host)
	if err != nil {
		return err
	}
	tree := descendants(seen.all, func(p proc) bool { return seen.owner[p.pid] == c.service })
	tree = slices.DeleteFunc(tree, func(p proc) bool { return p.dead() || seen.spared[p.pid] })
	for _, p := range tree {
		killPID(p)
	}
	c.met(tree)
	return nil
}

func (c *clearing) met(left []proc) {
	c.killed.add(left)
	for _, p := range left {
		if p.dead() {
			continue
		}
		c.left = append(c.left, p.pid)
		if !c.found[p.pid] {
			c.found[p.pid] = true
			c.tell(Leftover{PID: p.pid, Command: commandLine(p.pid)})
		}
	}
}

func (h *Host) lockInodes(service string) []inode {
	info, err := os.Lstat(h.path(incarnationDir, service))
	if err != nil {
		return nil
	}
	return []inode{inodeOf(info)}
}

// holders finds who holds the incarnation lock of the service.
func (h *Host) holders(service string) []proc {
	all, _ := snapshot()
	files := h.lockInodes(service)
	spared := ancestors()
	return slices.DeleteFunc(all, func(p proc) bool {
		_, holds := holdsLock(p.pid, files)
		return !holds || spared[p.pid]
	})
}

func (h *Host) killHolders(service string) []proc {
	holders := h.holders(service)
	for _, p := range holders {
		killPID(p)
	}
	return holders
}

func (h *Host) heldBy(service string) error {
	var pids []int
	for _, p := range h.holders(service) {
		pids = append(pids, p.pid)
	}
	if len(pids) == 0 {
		return ErrHeld
	}
	return fmt.Errorf("%w: %s", ErrHeld, describe(pids))
}
