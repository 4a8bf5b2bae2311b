package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Leftover is a process of an earlier supervisor's that was ended.
type Leftover struct {
	Service string
	PID     int
	Command string // how it was called
}

// Clear is ClearAll for one service.
func (h *Host) Clear(ctx context.Context, service string) ([]Leftover, error) {
	return h.ClearAll(ctx, []string{service})
}

// ClearAll ends whatever an earlier supervisor left of services that this one has claimed and not started yet, by
// SIGKILL at once: dying at any instant is legal. It costs a few system calls a service that left nothing, and for all
// others together a look at every process of the machine, where cgroups alone do not do.
func (h *Host) ClearAll(ctx context.Context, services []string) ([]Leftover, error) {
	var suspects []*suspect
	for _, service := range services {
		s, err := h.suspect(service)
		if err != nil {
			return nil, fmt.Errorf("cannot clear service %s: %w", service, err)
		}
		if s != nil {
			suspects = append(suspects, s)
		}
	}
	if len(suspects) == 0 {
		return nil, nil
	}
	c := &clearing{host: h, suspects: suspects, spared: ancestors(), killed: killed{}}
	if err := untilEmpty(ctx, nil, c.round); err != nil {
		return c.found, c.failure(err)
	}
	for _, s := range suspects {
		if s.leaf != nil {
			if err := s.leaf.remove(); err != nil {
				return c.found, fmt.Errorf("cannot clear service %s: %w", s.service, err)
			}
		}
		if err := h.removeNote(s.service); err != nil {
			return c.found, fmt.Errorf("cannot clear service %s: %w", s.service, err)
		}
	}
	return c.found, nil
}

// suspect is a service of which something may live.
type suspect struct {
	service string
	leaf    *leaf
	scan    bool // look for its marker, since the leaf is not the whole
	empty   bool
}

// suspect returns nil where nothing can be left: no lock, and no note or that of a leaf that is gone.
func (h *Host) suspect(service string) (*suspect, error) {
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
	s := &suspect{service: service, scan: n == nil || n.leaf == ""}
	if !s.scan {
		if s.leaf, err = h.foundLeaf(n.leaf); err != nil {
			return nil, err
		}
	}
	return s, nil
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

// clearing is the state of one ClearAll.
type clearing struct {
	host     *Host
	suspects []*suspect
	spared   map[int]bool
	found    []Leftover
	left     []int // of the last round
	killed   killed
}

// round kills what it sees of every suspect that was not yet found empty.
func (c *clearing) round(number int) (empty bool, err error) {
	c.left = nil
	var scanned []*suspect
	empty = true
	for _, s := range c.suspects {
		if s.empty {
			continue
		}
		busy, err := c.killLeaf(s)
		if err != nil {
			return false, fmt.Errorf("service %s: %w", s.service, err)
		}
		free, err := c.host.lockFree(s.service)
		if err != nil {
			return false, err
		}
		switch {
		case busy:
			empty = false
		case s.scan || !free:
			scanned = append(scanned, s)
		default:
			s.empty = true
		}
	}
	if len(scanned) > 0 {
		none, err := c.scan(scanned)
		if err != nil {
			return false, err
		}
		empty = empty && none
	}
	return empty && c.killed.gone(), nil
}

func (c *clearing) killLeaf(s *suspect) (busy bool, err error) {
	if s.leaf == nil {
		return false, nil
	}
	left, err := s.leaf.killAll()
	for _, p := range left {
		c.add(s.service, p)
	}
	return len(left) > 0, err
}

// scan looks for processes of the suspects on the whole machine, and kills them and all below them. A suspect is
// empty when nothing was found and its lock is free.
func (c *clearing) scan(suspects []*suspect) (empty bool, err error) {
	all, err := snapshot()
	if err != nil {
		return false, err
	}
	owner := c.owners(all, suspects)
	empty = true
	for _, s := range suspects {
		tree := descendants(all, func(p proc) bool { return owner[p.pid] == s.service })
		alive := 0
		for _, p := range tree {
			if !p.dead() && !c.spared[p.pid] {
				alive++
				c.add(s.service, p)
				killPID(p)
			}
		}
		free, err := c.host.lockFree(s.service)
		if err != nil {
			return false, err
		}
		s.empty = alive == 0 && free
		empty = empty && s.empty
	}
	return empty, nil
}

// owners says which processes belong to which of the services, by lock or marker.
func (c *clearing) owners(all []proc, suspects []*suspect) map[int]string {
	byInode := map[inode]string{}
	byService := map[string]bool{}
	var files []inode
	for _, s := range suspects {
		byService[s.service] = true
		for _, file := range c.host.lockInodes(s.service) {
			byInode[file] = s.service
			files = append(files, file)
		}
	}
	owner := map[int]string{}
	for _, p := range all {
		if p.dead() || c.spared[p.pid] {
			continue
		}
		if file, holds := holdsLock(p.pid, files); holds {
			owner[p.pid] = byInode[file]
			continue
		}
		marker := strings.Split(environMarker(p.pid), "/")
		if len(marker) == 3 && marker[2] == c.host.hash && byService[marker[0]] {
			owner[p.pid] = marker[0]
		}
	}
	return owner
}

func (c *clearing) add(service string, p proc) {
	if p.dead() {
		return
	}
	c.left = append(c.left, p.pid)
	c.killed[p.pid] = p.started
	if !slices.ContainsFunc(c.found, func(l Leftover) bool { return l.PID == p.pid }) {
		c.found = append(c.found, Leftover{Service: service, PID: p.pid, Command: commandLine(p.pid)})
	}
}

func (c *clearing) failure(err error) error {
	var names []string
	for _, s := range c.suspects {
		if !s.empty {
			names = append(names, s.service)
		}
	}
	text := "cannot clear what an earlier supervisor left of " + strings.Join(names, ", ")
	if len(c.left) > 0 {
		text += ": " + describe(c.left) + " left"
	}
	return fmt.Errorf("%s: %w", text, err)
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
