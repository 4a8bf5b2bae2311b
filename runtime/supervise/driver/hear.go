package driver

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"recipe/runtime/launch"
	"recipe/runtime/notify"
	"recipe/runtime/plan"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// hearing is what one incarnation says of itself: through its notify socket, on its descriptor of readiness, and in the lines
// of its output that probes wait for. Others write it, and tell the service's goroutine of it ten times a second at most, so
// that a daemon that chatters keeps nobody busy.
type hearing struct {
	sv     *service
	number uint64
	path   string // of the socket
	ears   []*notify.Ear
	tree   *process.Incarnation
	sought []string // the patterns that lines are held to

	mu      sync.Mutex
	told    bool      // the service's goroutine will look
	last    time.Time // when it did
	ready   bool      // READY=1 after the last RELOADING=1
	pipe    bool      // the newline has come
	shut    bool      // the descriptor was closed without it
	leaving bool      // STOPPING=1
	hung    bool      // WATCHDOG=trigger
	alive   time.Time // of the last WATCHDOG=1
	awaited bool      // the next one is to be told of
	waits   time.Time // since when a predecessor waited for one; zero for none
	extend  time.Duration
	status  string
	failure string
	lines   map[string]bool // the patterns that a line matched
	notes   []string        // to be recorded
	noted   map[string]bool
	dropped int
}

// tellEvery is the least time between two looks at what a daemon says.
const tellEvery = 100 * time.Millisecond

// spoken are the descriptors that an incarnation is heard through, until it has been spawned.
type spoken struct{ socket, pipe *os.File }

func (s spoken) close() {
	for _, file := range []*os.File{s.socket, s.pipe} {
		if file != nil {
			file.Close()
		}
	}
}

// handed is what the daemon is handed behind its sockets.
func (s spoken) handed() []*os.File {
	if s.pipe == nil {
		return nil
	}
	return []*os.File{s.pipe}
}

// hearken begins to hear a new incarnation, before it is spawned: nil where no probe wants to. It adds to the orders what the
// daemon has to know.
func (sv *service) hearken(spec *launch.Spec) (h *hearing, files spoken, err error) {
	if !slices.ContainsFunc(sv.definition.spec.Probes, func(p plan.Probe) bool { return p.Heard() }) {
		return nil, spoken{}, nil
	}
	h = &hearing{sv: sv, number: sv.number, lines: map[string]bool{}, noted: map[string]bool{}}
	h.seek()
	if spec.Ready > 0 {
		var ear *notify.Ear
		if ear, files.pipe, err = sv.sup.hub.Pipe(h.line); err == nil {
			h.ears = append(h.ears, ear)
		}
	}
	if err == nil && spec.Tells {
		files.socket, err = h.socket(spec)
	}
	if err != nil {
		files.close()
		h.close()
		return nil, spoken{}, err
	}
	return h, files, nil
}

// socket makes the daemon's notify socket, which its account alone may send to, and tells the daemon of it.
func (h *hearing) socket(spec *launch.Spec) (*os.File, error) {
	h.path = filepath.Join(h.sv.sup.options.RuntimeDir, "notify", h.sv.name)
	s := launch.Socket{Name: "notify", Type: plan.Datagram, Path: h.path, Ownership: launch.Ownership{Mode: 0o600}}
	if spec.Account != nil {
		s.Owner = spec.Account.Name
		if unreachable := opened(filepath.Dir(h.path)); unreachable != "" {
			h.note(fmt.Sprintf("the account %s cannot reach its notify socket, since %s is closed to others: RECIPE_RUNTIME_DIR may be another folder", spec.Account.Name, unreachable))
		}
	}
	file, err := s.Open()
	if err != nil {
		return nil, err
	}
	if err := notify.Identify(file); err != nil {
		file.Close()
		return nil, err
	}
	spec.Told = append(spec.Told, launch.NotifySocket+"="+h.path)
	if every := h.sv.definition.spec.Watchdog(); every > 0 {
		spec.Told = append(spec.Told, fmt.Sprintf("%s=%d", launch.WatchdogTime, every.Std().Microseconds()))
	}
	return file, nil
}

// opened lets others pass through the supervisor's own folder, whose files are closed to them, and returns one above it that
// they cannot pass.
func opened(folder string) string {
	if err := os.MkdirAll(folder, 0o711); err != nil {
		return ""
	}
	for _, own := range []string{folder, filepath.Dir(folder)} {
		if info, err := os.Stat(own); err == nil && info.Mode()&0o001 == 0 {
			_ = os.Chmod(own, info.Mode().Perm()|0o011)
		}
	}
	for at := folder; at != "/"; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && info.Mode()&0o001 == 0 {
			return at
		}
	}
	return ""
}

// seek has the daemon's output looked through.
func (h *hearing) seek() {
	patterns := map[string]*regexp.Regexp{}
	for i := range h.sv.definition.spec.Probes {
		if l := h.sv.definition.spec.Probes[i].LogLine; l != nil {
			if compiled, err := regexp.Compile(l.Pattern); err == nil {
				if !h.lines[l.Pattern] {
					patterns[l.Pattern] = compiled
				}
				h.sought = append(h.sought, l.Pattern)
			}
		}
	}
	if len(patterns) == 0 {
		return
	}
	h.sv.log.Seek(func(text []byte) (enough bool) {
		for pattern, compiled := range patterns {
			if compiled.Match(text) {
				delete(patterns, pattern)
				h.change(func() { h.lines[pattern] = true })
			}
		}
		return len(patterns) == 0
	})
}

// follow hears the tree that was spawned.
func (h *hearing) follow(tree *process.Incarnation, socket *os.File) {
	if h == nil || socket == nil {
		return
	}
	h.tree = tree
	ear, err := h.sv.sup.hub.Socket(socket, h)
	if err != nil {
		h.sv.sup.decide(h.sv.name, "notify", err.Error())
		return
	}
	h.ears = append(h.ears, ear)
}

// close ends the hearing; what was said stays.
func (h *hearing) close() {
	if h == nil {
		return
	}
	for _, ear := range h.ears {
		ear.Close()
	}
	if len(h.sought) > 0 {
		h.sv.log.Seek(nil)
	}
	if h.path != "" {
		_ = os.Remove(h.path) // what is left is replaced by the next
	}
}

// drain hears what waits to be heard.
func (h *hearing) drain() {
	for _, ear := range h.ears {
		ear.Drain()
	}
}

// change writes down what was said, and has the service's goroutine look at it.
func (h *hearing) change(write func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	write()
	h.tell()
}

// tell has the service's goroutine look. mu is held.
func (h *hearing) tell() {
	if h.told {
		return
	}
	h.told = true
	look := func() { h.sv.send(message{incarnation: h.number, heard: h}) }
	if wait := tellEvery - time.Since(h.last); wait > 0 {
		time.AfterFunc(wait, look)
	} else {
		look()
	}
}

// Belongs implements notify.Listener.
func (h *hearing) Belongs(pid int) bool { return h.tree.Belongs(pid) }

// Hear implements notify.Listener. A sign of life that nobody waits for wakes nobody.
func (h *hearing) Hear(m notify.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.Alive {
		h.alive = time.Now()
	}
	tell := m.Alive && h.awaited
	switch {
	case m.Ready:
		h.ready, tell = true, true
	case m.Reloading:
		h.ready, tell = false, true
	}
	if m.Stopping && !h.leaving {
		h.leaving, tell = true, true
	}
	if m.Hung {
		h.hung, tell = true, true
	}
	if m.Extend > h.extend {
		h.extend, tell = m.Extend, true
	}
	if m.Status != nil && *m.Status != h.status {
		h.status, tell = *m.Status, true
	}
	if m.Failure != "" {
		h.failure = m.Failure
	}
	for _, refused := range m.Refused {
		tell = h.write(refused) || tell
	}
	if tell {
		h.tell()
	}
}

// Strange implements notify.Listener.
func (h *hearing) Strange(pid int, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dropped++
	if !h.noted[reason] {
		h.noted[reason] = true
		h.write(fmt.Sprintf("a message of process %d was dropped: %s", pid, reason))
	}
	h.tell()
}

// line is told how the descriptor of readiness ended.
func (h *hearing) line(came bool) { h.change(func() { h.pipe, h.shut = came, !came }) }

// note has something recorded, once.
func (h *hearing) note(text string) { h.change(func() { h.write(text) }) }

// write notes what was not noted yet. mu is held.
func (h *hearing) write(text string) bool {
	if h.noted[text] {
		return false
	}
	h.noted[text] = true
	h.notes = append(h.notes, text)
	return true
}

// lastWords are what the incarnation said last, as evidence beside a decision.
func (h *hearing) lastWords() string {
	if h == nil {
		return ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var words []string
	if h.status != "" {
		words = append(words, fmt.Sprintf("it last said %q", h.status))
	}
	if h.failure != "" {
		words = append(words, h.failure)
	}
	return strings.Join(words, "; ")
}

// said is its STATUS and how many messages were dropped.
func (h *hearing) said() (status string, dropped int) {
	if h == nil {
		return "", 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status, h.dropped
}

// once takes what is to be acted upon once.
func (h *hearing) once() (notes []string, extend time.Duration, leaving, hung bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told, h.last = false, time.Now()
	notes, extend, leaving, hung = h.notes, h.extend, h.leaving, h.hung
	h.notes, h.extend, h.hung = nil, 0, false
	return notes, extend, leaving, hung
}

// hear acts upon what the incarnation said.
func (sv *service) hear(h *hearing) {
	notes, extend, leaving, hung := h.once()
	for _, note := range notes {
		sv.sup.decide(sv.name, "notify", note)
	}
	if extend > 0 {
		sv.step(supervise.Extend{By: extend})
	}
	asks := sv.asks
	if asks != nil {
		for _, p := range slices.Clone(asks.awaits) {
			if hung && p.probe.Notify != nil && p.probe.Role == plan.RoleLiveness && !asks.ended {
				sv.answered(supervise.Answer{Probe: p.index, Hung: true, Name: p.name, Detail: "the daemon itself says WATCHDOG=trigger"})
			} else if a := p.look(); a != nil && !asks.ended {
				sv.answered(*a)
			}
		}
	}
	if leaving {
		sv.step(supervise.Leaving{})
	}
	sv.publish()
}
