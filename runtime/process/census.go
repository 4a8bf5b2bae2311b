package process

import (
	"strings"
	"sync"
	"sync/atomic"
)

// census looks at every process of the machine, for all services that are being cleared at a time: a look at each for itself
// would cost a thousand services a thousand times as much.
type census struct {
	begun atomic.Uint64 // looks so far

	mu       sync.Mutex
	services map[string]int // that are being cleared, and by how many

	looking sync.Mutex
	number  uint64 // of the last look
	last    *survey
}

// survey is what a look saw. It is never changed.
type survey struct {
	all    []proc
	owner  map[int]string // whose a process is, by pid, by lock or marker
	spared map[int]bool   // this process and those above it
}

func (c *census) add(service string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.services == nil {
		c.services = map[string]int{}
	}
	c.services[service]++
}

func (c *census) remove(service string) {
	c.mu.Lock()
	if c.services[service]--; c.services[service] == 0 {
		delete(c.services, service)
	}
	idle := len(c.services) == 0
	c.mu.Unlock()
	if idle {
		c.looking.Lock()
		c.last = nil
		c.looking.Unlock()
	}
}

func (c *census) named() (services []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for service := range c.services {
		services = append(services, service)
	}
	return services
}

// take returns a look that began after it was called, whoever made it.
func (c *census) take(h *Host) (*survey, error) {
	before := c.begun.Load()
	c.looking.Lock()
	defer c.looking.Unlock()
	if c.last != nil && c.number > before {
		return c.last, nil
	}
	c.number = c.begun.Add(1)
	var err error
	c.last, err = h.look(c.named())
	return c.last, err
}

// look finds out which processes belong to which of the services.
func (h *Host) look(services []string) (*survey, error) {
	all, err := snapshot()
	if err != nil {
		return nil, err
	}
	seen := &survey{all: all, owner: map[int]string{}, spared: ancestors()}
	byInode := map[inode]string{}
	byName := map[string]bool{}
	var files []inode
	for _, service := range services {
		byName[service] = true
		for _, file := range h.lockInodes(service) {
			byInode[file] = service
			files = append(files, file)
		}
	}
	for _, p := range all {
		if p.dead() || seen.spared[p.pid] {
			continue
		}
		if file, holds := holdsLock(p.pid, files); holds {
			seen.owner[p.pid] = byInode[file]
			continue
		}
		marker := strings.Split(environMarker(p.pid), "/")
		if len(marker) == 3 && marker[2] == h.hash && byName[marker[0]] {
			seen.owner[p.pid] = marker[0]
		}
	}
	return seen, nil
}
