package watch

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// run is the goroutine that owns the watcher's state.
func (w *Watcher) run() {
	defer close(w.closed)
	defer close(w.events)
	var hints chan fsnotify.Event
	var lost chan error
	if w.notify != nil {
		defer w.notify.Close()
		hints, lost = w.notify.Events, w.notify.Errors
	}
	looks := time.NewTicker(w.poll)
	defer looks.Stop()
	quiet := time.NewTimer(0)
	defer quiet.Stop()
	for {
		var out chan Event
		var next Event
		if len(w.pending) > 0 {
			out, next = w.events, w.pending[0]
		}
		select {
		case <-w.closing:
			return
		case request := <-w.requests:
			request()
		case out <- next:
			w.pending = slices.Delete(w.pending, 0, 1)
		case hint := <-hints:
			w.hint(hint)
		case <-lost:
			w.hintAll()
		case <-looks.C:
			w.lookAll()
		case <-quiet.C:
			w.settle(time.Now())
		}
		w.arm(quiet)
	}
}

// hint marks the files that a notification may be about: those whose path goes through the entry of that name, or
// through a directory that is itself gone.
func (w *Watcher) hint(e fsnotify.Event) {
	gone := w.dirs[e.Name] && e.Has(fsnotify.Remove|fsnotify.Rename)
	if gone {
		delete(w.dirs, e.Name) // the kernel's watch went with it
	}
	for _, f := range w.files {
		if slices.ContainsFunc(f.places, func(p place) bool {
			return gone && p.dir == e.Name || filepath.Join(p.dir, p.entry) == e.Name
		}) {
			f.touch(time.Now())
		}
	}
}

func (w *Watcher) hintAll() {
	for _, f := range w.files {
		f.touch(time.Now())
	}
}

func (f *file) touch(now time.Time) {
	if f.first.IsZero() {
		f.first = now
	}
	f.last = now
}

// due is when a file that was hinted at is to be read.
func (w *Watcher) due(f *file) time.Time {
	quiet, limit := f.last.Add(w.debounce), f.first.Add(patience*w.debounce)
	if limit.Before(quiet) {
		return limit
	}
	return quiet
}

// arm sets the timer for the file that is due first; without one it stays silent.
func (w *Watcher) arm(quiet *time.Timer) {
	var earliest time.Time
	for _, f := range w.files {
		if f.first.IsZero() {
			continue
		}
		if due := w.due(f); earliest.IsZero() || due.Before(earliest) {
			earliest = due
		}
	}
	if earliest.IsZero() {
		quiet.Stop()
		return
	}
	quiet.Reset(time.Until(earliest))
}

// settle reads the files that are due, and reports those that differ.
func (w *Watcher) settle(now time.Time) {
	for _, f := range w.files {
		if f.first.IsZero() || w.due(f).After(now) {
			continue
		}
		f.first, f.last = time.Time{}, time.Time{}
		w.follow(f) // before the reading: a change after it is hinted at
		event, found, seen := read(f.path)
		f.look = seen
		if found == f.reported {
			continue
		}
		f.reported = found
		w.forget(f.path)
		w.pending = append(w.pending, event)
	}
	w.prune()
}

// lookAll is the net below the notifications: it hints at what a stat finds changed, and sets watches anew that got lost.
func (w *Watcher) lookAll() {
	if w.notify != nil {
		w.denied = nil
	}
	for _, f := range w.files {
		w.follow(f)
		if f.first.IsZero() && f.look.stale(f.path) {
			f.touch(time.Now())
		}
	}
	w.prune()
}

// follow watches the directories that the file's path goes through now. Watching one again is a cheap repair: it finds
// another directory that took the name. The walk is repeated until nothing moved between it and the watching.
func (w *Watcher) follow(f *file) {
	for try := range maxLinks {
		now := places(f.path)
		if try > 0 && slices.Equal(now, f.places) {
			return
		}
		f.places = now
		if w.notify == nil {
			return
		}
		for _, p := range now {
			if err := w.notify.Add(p.dir); err != nil {
				w.denied = err
				continue
			}
			w.dirs[p.dir] = true
		}
	}
}

// prune ends the watch of directories that no file needs any more.
func (w *Watcher) prune() {
	needed := map[string]bool{}
	for _, f := range w.files {
		for _, p := range f.places {
			needed[p.dir] = true
		}
	}
	for dir := range w.dirs {
		if !needed[dir] {
			w.notify.Remove(dir)
			delete(w.dirs, dir)
		}
	}
}

// forget drops what the reader has not taken of a path.
func (w *Watcher) forget(path string) {
	w.pending = slices.DeleteFunc(w.pending, func(e Event) bool { return e.Path == path })
}
