package driver

import (
	"maps"
	"os"
	"slices"
	"time"

	"recipe/runtime/notify"
)

// carriedHearing is a hearing as one supervisor hands it to its successor. What the daemon says meanwhile waits in the kernel.
type carriedHearing struct {
	Number  uint64   `json:"number"` // of the incarnation
	Path    string   `json:"path,omitempty"`
	Socket  int      `json:"socket,omitempty"` // descriptors; 0 for none
	Pipe    int      `json:"pipe,omitempty"`
	Ready   bool     `json:"ready,omitempty"`
	Came    bool     `json:"came,omitempty"` // the newline
	Shut    bool     `json:"shut,omitempty"`
	Leaving bool     `json:"leaving,omitempty"`
	Status  string   `json:"status,omitempty"`
	Failure string   `json:"failure,omitempty"`
	Lines   []string `json:"lines,omitempty"`
	Noted   []string `json:"noted,omitempty"`
	Dropped int      `json:"dropped,omitempty"`

	Alive  int64         `json:"alive,omitempty"` // since when a sign of life is waited for, by CLOCK_MONOTONIC; 0 where none is
	Hung   bool          `json:"hung,omitempty"`  // this and what follows was not acted upon yet
	Extend time.Duration `json:"extend,omitempty"`
	Notes  []string      `json:"notes,omitempty"`
}

func (c *carriedHearing) descriptors() []int {
	return slices.DeleteFunc([]int{c.Socket, c.Pipe}, func(fd int) bool { return fd == 0 })
}

// carry is what was heard, without a descriptor.
func (h *hearing) carry() *carriedHearing {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return &carriedHearing{
		Number: h.number, Path: h.path, Ready: h.ready, Came: h.pipe, Shut: h.shut, Leaving: h.leaving,
		Status: h.status, Failure: h.failure, Dropped: h.dropped, Hung: h.hung, Extend: h.extend, Notes: h.notes,
		Lines: slices.Sorted(maps.Keys(h.lines)), Noted: slices.Sorted(maps.Keys(h.noted)),
	}
}

// socketFD is the descriptor of the notify socket, or -1.
func (h *hearing) socketFD() int {
	if h != nil {
		for _, ear := range h.ears {
			if ear.IsSocket() {
				return ear.Descriptor()
			}
		}
	}
	return -1
}

// waitsForLine reports whether there is a descriptor of readiness.
func (h *hearing) waitsForLine() bool {
	return slices.ContainsFunc(h.ears, func(e *notify.Ear) bool { return !e.IsSocket() })
}

// hand hears no more. asks is the last round of probes, or nil.
func (h *hearing) hand(asks *asking) *carriedHearing {
	if h == nil {
		return nil
	}
	var c carriedHearing
	for _, ear := range h.ears {
		switch fd := ear.Release(); {
		case fd < 0:
		case ear.IsSocket():
			c.Socket = fd
		default:
			c.Pipe = fd
		}
	}
	said := h.carry()
	said.Socket, said.Pipe = c.Socket, c.Pipe
	h.mu.Lock()
	defer h.mu.Unlock()
	if since := asks.waits(h.alive); !since.IsZero() {
		said.Alive = monotonic() - int64(time.Since(since))
	}
	return said
}

// hearAgain goes on with what was handed on.
func (sv *service) hearAgain(c *carriedHearing) *hearing {
	h := &hearing{sv: sv, number: c.Number, path: c.Path, tree: sv.incarnation, ready: c.Ready, pipe: c.Came, shut: c.Shut,
		leaving: c.Leaving, hung: c.Hung, extend: c.Extend, notes: c.Notes, status: c.Status, failure: c.Failure, dropped: c.Dropped, lines: map[string]bool{}, noted: map[string]bool{}}
	for _, line := range c.Lines {
		h.lines[line] = true
	}
	for _, note := range c.Noted {
		h.noted[note] = true
	}
	if c.Alive != 0 {
		h.waits = then(c.Alive)
	}
	if sv.incarnation == nil {
		return h // its last words are all that is left
	}
	h.seek()
	listen := func(fd int, hear func(*os.File) (*notify.Ear, error)) {
		if fd == 0 {
			return
		}
		file := os.NewFile(uintptr(fd), "notify")
		defer file.Close() // the ear has its own
		ear, err := hear(file)
		if err != nil {
			sv.sup.decide(sv.name, "notify", err.Error())
			return
		}
		h.ears = append(h.ears, ear)
	}
	listen(c.Pipe, func(file *os.File) (*notify.Ear, error) { return sv.sup.hub.Line(file, h.line) })
	listen(c.Socket, func(file *os.File) (*notify.Ear, error) { return sv.sup.hub.Socket(file, h) })
	return h
}
