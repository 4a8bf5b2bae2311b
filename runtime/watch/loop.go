package watch

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// run is the goroutine that owns the watcher's state.
func (w *Watcher) run() {
	defer close(w.closed)
	defer close(w.events)
	var hints chan []hint
	if w.notify != nil {
		defer w.notify.close()
		hints = w.notify.hints
	}
	mounted, end := mounts()
	defer end()
	w.far = time.Now().Add(farPolls * w.poll)
	looks, quiet := time.NewTimer(farPolls*w.poll), time.NewTimer(0)
	defer looks.Stop()
	defer quiet.Stop()
	slow := false
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
		case list := <-hints:
			for _, h := range list {
				w.hint(h)
			}
		case <-mounted:
			w.look(true)
		case now := <-looks.C:
			w.look(!now.Before(w.far))
			looks.Reset(w.pause())
		case <-quiet.C:
			w.settle(time.Now())
		}
		if slow != w.anySlow() { // the first of them came, or the last one went
			slow = !slow
			looks.Reset(w.pause())
		}
		w.arm(quiet)
	}
}

// pause is how long nothing need be looked at.
func (w *Watcher) pause() time.Duration {
	far := time.Until(w.far)
	if w.anySlow() {
		return min(w.poll, far)
	}
	return far
}

func (w *Watcher) anySlow() bool {
	for _, f := range w.files {
		if f.slow != nil {
			return true
		}
	}
	return false
}

// hint marks the files that a notification may be about: those whose path goes through the entry of that name, or
// through what it tells of itself.
func (w *Watcher) hint(h hint) {
	for _, f := range w.files {
		for i, watch := range f.watches {
			if h.overflow() || watch == h.watch && (h.name == "" || f.places[i].folder || h.name == f.places[i].entry) {
				f.touch(time.Now())
			}
		}
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
	if all {
		w.far = time.Now().Add(farPolls * w.poll)
	}
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
		f.places, f.watches, f.slow = now, make([]int, len(now)), w.denied
		if w.notify == nil {
			return
		}
		for i, p := range now {
			f.watches[i] = none
			watch, err := w.notify.add(p.at, p.mask())
			switch {
			case err == nil:
				f.watches[i], w.watches[watch] = watch, true
			case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.ENOMEM), p.entry != "" && errors.Is(err, unix.EACCES):
				f.slow = refused(err)
			}
			if err := silent(p.at); err != nil {
				f.slow = err
			}
		}
	}
}

// none is no watch of the kernel's: of what is gone meanwhile, or may not be read, its directory tells.
const none = -1

// prune ends the watches that no file needs any more.
func (w *Watcher) prune() {
	needed := map[int]bool{}
	for _, f := range w.files {
		for _, watch := range f.watches {
			needed[watch] = true
		}
	}
	for watch := range w.watches {
		if !needed[watch] {
			w.notify.remove(watch)
			delete(w.watches, watch)
		}
	}
}

// forget drops what the reader has not taken of a path.
func (w *Watcher) forget(path string) {
	w.pending = slices.DeleteFunc(w.pending, func(e Event) bool { return e.Path == path })
}
