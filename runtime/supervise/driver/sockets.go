package driver

import (
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
	"recipe/runtime/supervise"
)

// sockets are those that a service is handed, in the order of their descriptors. They stay open over its restarts, and
// until it is stopped; a supervisor that dies loses them.
type sockets []openSocket

type openSocket struct {
	launch.Socket
	file *os.File
	made unix.Stat_t // of a path: the file that we made
}

// move opens what is wanted and not open yet, and only then gives up what is not wanted any longer. On an error everything
// is as it was.
func (s *sockets) move(want []launch.Socket) error {
	next := make(sockets, len(want))
	var fresh sockets
	for i, w := range want {
		at := slices.IndexFunc(*s, func(o openSocket) bool { return o.Address() == w.Address() })
		if at >= 0 {
			next[i] = (*s)[at]
			next[i].Socket = w
			if err := w.Adjust(next[i].file); err != nil {
				fresh.close()
				return err
			}
			continue
		}
		file, err := w.Open()
		if err != nil {
			fresh.close()
			return err
		}
		next[i] = openSocket{Socket: w, file: file}
		if w.Path != "" {
			_ = unix.Lstat(w.Path, &next[i].made)
		}
		fresh = append(fresh, next[i])
	}
	for i := range *s {
		if !slices.ContainsFunc(next, func(o openSocket) bool { return o.file == (*s)[i].file }) {
			(*s)[i].close()
		}
	}
	*s = next
	return nil
}

// close gives them up. Whoever connects from now on is refused: a process that is just being cloned, and has copies of our
// descriptors until it executes, would keep them listening.
func (s *sockets) close() {
	for i := range *s {
		if raw, err := (*s)[i].file.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_RDWR) })
		}
		(*s)[i].close()
	}
	*s = nil
}

// close takes the path away, unless somebody else has put something there since.
func (o *openSocket) close() {
	var st unix.Stat_t
	if o.Path != "" && unix.Lstat(o.Path, &st) == nil && st.Ino == o.made.Ino && st.Dev == o.made.Dev {
		_ = unix.Unlink(o.Path)
	}
	o.file.Close()
}

func (s sockets) files() []*os.File {
	var files []*os.File
	for i := range s {
		files = append(files, s[i].file)
	}
	return files
}

// listenRetry is the pause before a change that could not open its sockets is tried again.
const listenRetry = 5 * time.Second

// listen opens the sockets of a definition.
func (sv *service) listen(d *definition) error {
	if d.env == nil {
		return nil // its start will say why there are none
	}
	want, err := launch.Sockets(d.spec, d.env)
	if err == nil {
		err = sv.sockets.move(want)
	}
	return err
}

// postpones reports whether a new definition that restarts the daemon waits because what it listens on cannot be opened:
// nothing of what runs is given up for it. m is told again by and by, until then or until there is a newer one. A
// definition that does not restart it is listened for at the next start.
func (sv *service) postpones(m message) bool {
	if m.postponed != 0 && m.postponed != sv.postponed {
		return true // there is a newer one
	}
	if m.postponed == 0 {
		sv.postponed++
		sv.refused = nil
	}
	_, restarts := m.event.(supervise.Restart)
	if !restarts || len(sv.sockets) == 0 || m.define.env == nil { // the next start opens what it needs
		return false
	}
	err := sv.listen(m.define)
	if err == nil {
		return false
	}
	if sv.refused == nil || sv.refused.Error() != err.Error() {
		sv.refused = err
		sv.sup.decide(sv.name, "listen", fmt.Sprintf("the change waits, and what runs goes on: %v; tried again every %s", err, sv.sup.listenRetry))
	}
	m.postponed = sv.postponed
	time.AfterFunc(sv.sup.listenRetry, func() { sv.send(m) })
	return true
}
