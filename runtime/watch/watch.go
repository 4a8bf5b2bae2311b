// Package watch tells when the content of a file changed: recipes, what they load, and flags files.
//
// Rules:
//   - A notification is a hint, never a fact. After it the file is left alone until it has been quiet, 100 ms say, but
//     not for more than ten times that; then it is read, and an Event is sent only when the SHA-256 of its bytes, its
//     existence or the reason why it cannot be read differ from what was last reported.
//   - What a path leads to is watched, and every directory that it goes through, but for those directly below /, which nobody
//     moves; for a link that may be swapped, as ConfigMaps are, and for what is missing, the directory that it lies in. What
//     was mounted or unmounted is told of by the kernel's table of mounts.
//   - Of a directory that is watched everything is told, what a neighbour writes as well. That costs a look-up of its name. After
//     two within a tenth of the debounce nothing is heard for one debounce, in which the kernel makes one of what is alike:
//     so a loud one costs 10 % of a processor at most.
//   - A watch that nothing happens to wakes nobody. So only files that lie where changes may not be told of, on network file
//     systems or beyond the host's limit of watches, are looked at every few seconds, which costs a stat while nothing
//     changes; Slow says of which files that is true, and why. All others are looked at 120 times less often, for what no
//     one foresaw, such as one that is watched by two of its names. Over a full queue of notifications all are hinted at.
//   - Of a folder its names are told, and which folder it is; of what its entries hold nothing.
//   - A file of more than 8 MiB, or what is no regular file, is not read; that is an Event with an error.
//   - A reader of Events that is slow delays no one: later changes of a file replace those that it has not taken yet.
//
// places.go finds what a path depends on, notify.go is fsnotify, filesystem.go knows where changes are told of, mounts.go hears
// of mounts, read.go reads. Tests: real files, changed in each of the ways that editors, package tools and orchestrators have,
// with the notifications, and with the look every few seconds alone.
package watch

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// farPolls is how many polls pass between two looks at the files whose changes are told of: ten minutes, where a poll has 5 s.
const farPolls = 120

// patience is how many times the debounce a file that is never quiet is waited for.
const patience = 10

// Event is a file that differs from what was last reported of it. Exists is false when there is none, and Content is
// nil then. Err is set when it is there but cannot be read.
type Event struct {
	Path    string
	Content []byte
	Exists  bool
	Err     error
	Folder  string // of a folder: which one it is, for another may be mounted over it or take its name
}

// Watcher watches files. Its methods may be called concurrently; one goroutine does its work.
type Watcher struct {
	debounce, poll time.Duration
	notify         *notify // nil: the look every poll alone
	denied         error   // why that is so
	requests       chan func()
	events         chan Event
	closing        chan struct{}
	closed         chan struct{}
	closeOnce      sync.Once

	// Of the goroutine alone.
	files   map[string]*file
	names   map[string]bool // of which notifications are heard, and whether they are watched
	pending []Event         // not taken yet, one a path
	deaf    time.Time       // until when something may have happened that was not heard
}

// file is one path that is watched.
type file struct {
	path        string
	folder      bool // its names are watched
	reported    state
	look        look
	places      []place
	slow        error     // why it is looked at every poll; nil where changes are told
	first, last time.Time // hints since it was last read; zero for none
}

var errClosed = errors.New("the watch is closed")

// New makes a watcher that waits for debounce of quiet and looks every poll at the files whose changes may not be told of.
// On a host that grants no notifications those are all; Slow tells.
func New(debounce, poll time.Duration) (*Watcher, error) {
	if debounce <= 0 || poll <= 0 {
		return nil, fmt.Errorf("cannot watch files with a debounce of %s and a poll of %s: both must be above 0", debounce, poll)
	}
	notify, denied := newNotify()
	return start(debounce, poll, notify, denied), nil
}

func start(debounce, poll time.Duration, notify *notify, denied error) *Watcher {
	w := &Watcher{
		debounce: debounce,
		poll:     poll,
		notify:   notify,
		denied:   denied,
		requests: make(chan func()),
		events:   make(chan Event),
		closing:  make(chan struct{}),
		closed:   make(chan struct{}),
		files:    map[string]*file{},
		names:    map[string]bool{},
	}
	go w.run()
	return w
}

// Events is where changes are sent, until Close closes it.
func (w *Watcher) Events() <-chan Event { return w.events }

// Add watches path, an absolute one, and returns what is there now; what differs from it afterwards is sent as an Event.
// So nothing is missed by adding first and reading then. Adding it again is no error, and returns what was last read.
func (w *Watcher) Add(path string) (Event, error) { return w.add(path, false) }

// AddFolder watches which names a folder holds: an Event's Content has them in order, one a line, but for those that begin with '.'.
// What the entries are and hold is not looked at.
func (w *Watcher) AddFolder(path string) (Event, error) { return w.add(path, true) }

func (w *Watcher) add(path string, folder bool) (Event, error) {
	if !filepath.IsAbs(path) {
		return Event{}, fmt.Errorf("cannot watch %s: the path is not absolute", path)
	}
	path = filepath.Clean(path)
	var now Event
	err := w.do(func() {
		f := w.files[path]
		if f == nil {
			f = &file{path: path, folder: folder}
			w.files[path] = f
		}
		w.follow(f)
		now, f.reported, f.look = f.read()
		f.first, f.last = time.Time{}, time.Time{}
		w.forget(path)
	})
	return now, err
}

// Remove ends the watch of path; no Event of it is sent afterwards, but one may be in the reader's hands.
func (w *Watcher) Remove(path string) error {
	path = filepath.Clean(path)
	return w.do(func() {
		delete(w.files, path)
		w.forget(path)
		w.prune()
	})
}

// Slow is why changes of path, which is watched, may be seen at the next poll only, or nil.
func (w *Watcher) Slow(path string) error {
	var slow error
	w.do(func() {
		if f := w.files[filepath.Clean(path)]; f != nil {
			slow = f.slow
		}
	})
	return slow
}

// AllSlow is Slow of every path that is watched and of which it is not nil; watched is how many paths are.
func (w *Watcher) AllSlow() (slow map[string]error, watched int) {
	slow = map[string]error{}
	w.do(func() {
		watched = len(w.files)
		for path, f := range w.files {
			if f.slow != nil {
				slow[path] = f.slow
			}
		}
	})
	return slow, watched
}

// Close ends all watches and closes Events. It may be called twice.
func (w *Watcher) Close() error {
	w.closeOnce.Do(func() { close(w.closing) })
	<-w.closed
	return nil
}

// do runs f on the goroutine that owns the state.
func (w *Watcher) do(f func()) error {
	done := make(chan struct{})
	select {
	case w.requests <- func() { f(); close(done) }:
		<-done
		return nil
	case <-w.closed:
		return errClosed
	}
}
