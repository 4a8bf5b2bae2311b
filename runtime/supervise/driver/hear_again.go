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

// hand hears no more. asks is the last round of probes, or nil.
func (h *hearing) hand(asks *asking) *carriedHearing {
	if h == nil {
		return nil
	}
	c := &carriedHearing{Number: h.number, Path: h.path}
	for _, ear := range h.ears {
		switch fd := ear.Release(); {
		case fd < 0:
		case ear.IsSocket():
			c.Socket = fd
		default:
			c.Pipe = fd
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c.Ready, c.Came, c.Shut, c.Leaving = h.ready, h.pipe, h.shut, h.leaving
	c.Status, c.Failure, c.Dropped = h.status, h.failure, h.dropped
	c.Hung, c.Extend, c.Notes = h.hung, h.extend, h.notes
	if since := asks.waits(h.alive); !since.IsZero() {
		c.Alive = monotonic() - int64(time.Since(since))
	}
	c.Lines, c.Noted = slices.Sorted(maps.Keys(h.lines)), slices.Sorted(maps.Keys(h.noted))
	return c
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
