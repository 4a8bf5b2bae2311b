package watch

import (
	"errors"
	"fmt"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"
)

// notify is what tells of changes, by the path under which a thing was watched.
type notify struct {
	*fsnotify.Watcher
	lost    chan struct{}    // notifications were
	watched map[string]thing // by path; what is gone remains until nobody needs it
}

func newNotify() (*notify, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, refused(err)
	}
	n := &notify{Watcher: w, lost: make(chan struct{}, 1), watched: map[string]thing{}}
	go func() { // apart from whoever adds: fsnotify holds its lock while it tells that something moved and went at once
		for range w.Errors {
			select {
			case n.lost <- struct{}{}:
			default:
			}
		}
	}()
	return n, nil
}

// refused says why nothing is told, and the setting that has to grow.
func refused(err error) error {
	switch {
	case errors.Is(err, unix.EMFILE):
		err = fmt.Errorf("%w: fs.inotify.max_user_instances are in use", unix.EMFILE)
	case errors.Is(err, unix.ENOSPC):
		err = fmt.Errorf("%w: fs.inotify.max_user_watches are in use", unix.ENOSPC)
	}
	return fmt.Errorf("the kernel refuses to tell of changes: %w", err)
}

// add watches what is at the place, where it may be watched already, and no longer what was there before.
func (n *notify) add(p place) error {
	if before, ok := n.watched[p.at]; ok && before != p.thing {
		n.remove(p.at)
	}
	if err := n.Add(p.at); err != nil {
		return err
	}
	n.watched[p.at] = p.thing
	return nil
}

// remove may come after the kernel's own removal, of what is gone. fsnotify does not bear it, at a path that became another
// name of what it watches elsewhere.
func (n *notify) remove(path string) {
	delete(n.watched, path)
	defer func() { _ = recover() }()
	_ = n.Remove(path)
}
