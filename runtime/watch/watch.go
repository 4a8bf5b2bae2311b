// Package watch tells when the content of a file changed: recipes, what they load, and flags files.
//
// Rules:
//   - A notification is a hint, never a fact. After it the file is left alone until it has been quiet, 100 ms say, but
//     not for more than ten times that; then it is read, and an Event is sent only when the SHA-256 of its bytes, its
//     existence or the reason why it cannot be read differ from what was last reported.
//   - Directories are watched, never files: editors rename over a file, ConfigMaps swap a link beside it. Each directory
//     that the path goes through by a link is watched too, and for a directory that is missing its nearest parent.
//   - Notifications get lost: on network file systems, over a full queue, at the host's limit of watches. So every file
//     is looked at every few seconds as well, which costs a stat while nothing changes.
//   - A file of more than 8 MiB, or what is no regular file, is not read; that is an Event with an error.
//   - A reader of Events that is slow delays no one: later changes of a file replace those that it has not taken yet.
//
// places.go finds the directories, read.go reads. Tests: real files, changed in each of the ways that editors, package
// tools and orchestrators have, with the notifications, and with the look every few seconds alone.
package watch

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// patience is how many times the debounce a file that is never quiet is waited for.
const patience = 10

// Event is a file that differs from what was last reported of it. Exists is false when there is none, and Content is
// nil then. Err is set when it is there but cannot be read.
type Event struct {
	Path    string
	Content []byte
	Exists  bool
	Err     error
}

// Watcher watches files. Its methods may be called concurrently; one goroutine does its work.
type Watcher struct {
	debounce, poll time.Duration
	notify         *fsnotify.Watcher // nil: the look every poll alone
	requests       chan func()
	events         chan Event
	closing        chan struct{}
	closed         chan struct{}
	closeOnce      sync.Once

	// Of the goroutine alone.
	files   map[string]*file
	dirs    map[string]bool // watched
	pending []Event         // not taken yet, one a path
	denied  error
}

// file is one path that is watched.
type file struct {
	path        string
	reported    state
	look        look
	places      []place
	first, last time.Time // hints since it was last read; zero for none
}

var errClosed = errors.New("the watch is closed")

// New makes a watcher that waits for debounce of quiet and looks at every file every poll. On a host that grants no
// notifications it does with the looks; Denied tells.
func New(debounce, poll time.Duration) (*Watcher, error) {
	if debounce <= 0 || poll <= 0 {
		return nil, fmt.Errorf("cannot watch files with a debounce of %s and a poll of %s: both must be above 0", debounce, poll)
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return start(debounce, poll, nil, err), nil
	}
	return start(debounce, poll, notify, nil), nil
}

func start(debounce, poll time.Duration, notify *fsnotify.Watcher, denied error) *Watcher {
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
		dirs:     map[string]bool{},
	}
	go w.run()
	return w
}

// Events is where changes are sent, until Close closes it.
func (w *Watcher) Events() <-chan Event { return w.events }

// Add watches path, an absolute one, and returns what is there now; what differs from it afterwards is sent as an Event.
// So nothing is missed by adding first and reading then. Adding it again is no error, and returns what was last read.
func (w *Watcher) Add(path string) (Event, error) {
	if !filepath.IsAbs(path) {
		return Event{}, fmt.Errorf("cannot watch %s: the path is not absolute", path)
	}
	path = filepath.Clean(path)
	var now Event
	err := w.do(func() {
		f := w.files[path]
		if f == nil {
			f = &file{path: path}
			w.files[path] = f
		}
		w.follow(f)
		now, f.reported, f.look = read(path)
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

// Denied is why changes may be seen late, at the next look, or nil.
func (w *Watcher) Denied() error {
	var err error
	w.do(func() { err = w.denied })
	return err
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
