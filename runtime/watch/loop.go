package watch

import (
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"
)

// run is the goroutine that owns the watcher's state.
func (w *Watcher) run() {
	defer close(w.closed)
	defer close(w.events)
	var hints, heard chan fsnotify.Event // heard is nil for a while after a loud neighbour
	var lost chan struct{}
	if w.notify != nil {
		defer w.notify.Close()
		hints, lost = w.notify.Events, w.notify.lost
		heard = hints
	}
	mounted, end := mounts()
	defer end()
	near, far := time.NewTicker(w.poll), time.NewTicker(farPolls*w.poll)
	var rest <-chan time.Time
	var loud time.Time // when a neighbour was heard last
	table := ""
	for {
		var out chan Event
		var next Event
		if len(w.pending) > 0 {
			out, next = w.events, w.pending[0]
		}
		var looks <-chan time.Time // a ticker that nobody hears wakes nobody
		if w.anySlow() {
			looks = near.C
		}
		select {
		case <-w.closing:
			return
		case request := <-w.requests:
			request()
		case out <- next:
			w.pending = slices.Delete(w.pending, 0, 1)
		case hint := <-heard:
			if !w.hint(hint) {
				now := time.Now()
				if now.Sub(loud) < w.debounce/10 && now.After(w.deaf) {
					heard, rest = nil, time.After(w.debounce)
					w.deaf = now.Add(w.debounce + w.debounce/10)
				}
				loud = now
			}
		case <-rest:
			heard, rest = hints, nil
		case <-lost:
			for _, f := range w.files {
				f.touch(time.Now())
			}
		case <-mounted:
			before := table
			if table = mountTable(); leadElsewhere(w.names, before, table) {
				w.look(true)
			}
		case <-looks:
			w.look(false)
		case <-far.C:
			w.look(true)
		case <-w.quiet():
			w.settle(time.Now())
		}
	}
}

func (w *Watcher) anySlow() bool {
	for _, f := range w.files {
		if f.slow != nil {
			return true
		}
	}
	return false
}

// hint marks the files that a notification may be about: those whose path goes through what has that name, and the folders
// that it has come into or left. It is false for what a neighbour did.
func (w *Watcher) hint(e fsnotify.Event) (ours bool) {
	names := []string{e.Name}
	if e.Has(fsnotify.Create | fsnotify.Remove | fsnotify.Rename) {
		names = append(names, within(filepath.Dir(e.Name)))
	}
	for _, name := range names {
		if _, known := w.names[name]; !known {
			continue
		}
		ours = true
		for _, f := range w.files {
			if slices.ContainsFunc(f.places, func(p place) bool { return p.at == name }) {
				f.touch(time.Now())
			}
		}
	}
	return ours
}

func (f *file) touch(now time.Time) {
	if f.first.IsZero() {
		f.first = now
	}
	f.last = now
}

// due is when a file that was hinted at is to be read.
func (w *Watcher) due(f *file) time.Time {
	due := f.last.Add(w.debounce)
	if limit := f.first.Add(patience * w.debounce); limit.Before(due) {
		due = limit
	}
	if due.Before(w.deaf) {
		due = w.deaf
	}
	return due
}

// quiet tells when the first file is due; without one that was hinted at it is silent.
func (w *Watcher) quiet() <-chan time.Time {
	var earliest time.Time
	for _, f := range w.files {
		if due := w.due(f); !f.first.IsZero() && (earliest.IsZero() || due.Before(earliest)) {
			earliest = due
		}
	}
	if earliest.IsZero() {
		return nil
	}
	return time.After(time.Until(earliest))
}

// settle reads the files that are due, and reports those that differ.
func (w *Watcher) settle(now time.Time) {
	for _, f := range w.files {
		if f.first.IsZero() || w.due(f).After(now) {
			continue
		}
		f.first, f.last = time.Time{}, time.Time{}
		w.follow(f) // before the reading: a change after it is hinted at
		event, found, seen := f.read()
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

// look is the net below the notifications: it hints at what a stat finds changed, and sets watches anew that got lost. It
// looks at the files whose changes may not be told of, or at all.
func (w *Watcher) look(all bool) {
	for _, f := range w.files {
		if !all && f.slow == nil {
			continue
		}
		w.follow(f)
		if f.first.IsZero() && f.look.stale(f.path) {
			f.touch(time.Now())
		}
	}
	w.prune()
}

// follow watches what the file's path goes through now. Watching it again is a cheap repair: it finds another directory
// that took the name. The walk is repeated until nothing moved between it and the watching.
func (w *Watcher) follow(f *file) {
	for try := range maxLinks {
		now := places(f.path, f.folder)
		if try > 0 && slices.Equal(now, f.places) {
			return
		}
		f.places, f.slow = now, w.denied
		if w.notify == nil {
			return
		}
		for _, p := range now {
			w.names[p.at] = w.names[p.at] || p.watch
			if p.watch {
				err := w.notify.add(p)
				if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.ENOMEM) || p.must && errors.Is(err, unix.EACCES) {
					f.slow = refused(err)
				}
			}
			if err := silent(p.at); err != nil {
				f.slow = err
			}
		}
	}
}

// prune ends the watches that no file needs any more.
func (w *Watcher) prune() {
	clear(w.names)
	for _, f := range w.files {
		for _, p := range f.places {
			w.names[p.at] = w.names[p.at] || p.watch
		}
	}
	if w.notify == nil {
		return
	}
	for path := range w.notify.watched {
		if !w.names[path] {
			w.notify.remove(path)
		}
	}
}

// forget drops what the reader has not taken of a path.
func (w *Watcher) forget(path string) {
	w.pending = slices.DeleteFunc(w.pending, func(e Event) bool { return e.Path == path })
}
