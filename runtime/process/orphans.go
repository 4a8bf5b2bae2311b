package process

import (
	"maps"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// orphanPause spaces the looks at our children: a storm of deaths is one look.
	orphanPause = 100 * time.Millisecond
	// leaderGrace is how long a dead session leader is left alone: it may be a leader of another Host in this process,
	// as tests have them, which reaps it for itself.
	leaderGrace = 5 * time.Second
	// mostLeft is how many are left alone so: more are not of another Host, but of a daemon that makes sessions faster
	// than they could be waited for, and whose dead would fill the table of processes.
	mostLeft = 64
)

// collectOrphans reaps what a subreaper inherits, until stop. The incarnations' leaders are reaped by Reap, and a
// command that this process runs for itself by who runs it, which is why nothing here waits for any child. It wakes
// for deaths only.
func (h *Host) collectOrphans(deaths chan os.Signal) {
	defer close(h.done)
	defer signal.Stop(deaths)
	seen := map[int]time.Time{}
	var again <-chan time.Time
	for {
		select {
		case <-deaths:
			if again == nil {
				again = time.After(orphanPause)
			}
		case <-again:
			again = nil
			if !h.reapOrphans(seen) {
				again = time.After(orphanPause)
			}
		case <-h.stop:
			return
		}
	}
}

// reapOrphans reports false where it has to look again: a child not yet known as a leader looks like an orphan while
// its spawn goes on. seen holds since when a dead session leader has been known.
func (h *Host) reapOrphans(seen map[int]time.Time) (done bool) {
	if _, spawning, _ := h.leaders(); spawning {
		return false // the look would be for nothing
	}
	orphans, steady := h.strangers()
	if !steady {
		return false
	}
	waiting := map[int]time.Time{}
	for _, p := range orphans {
		if !p.dead() {
			continue
		}
		since, ok := seen[p.pid]
		if !ok {
			since = time.Now()
		}
		if p.session == p.pid && time.Since(since) < leaderGrace && len(waiting) < mostLeft {
			waiting[p.pid] = since
			continue
		}
		reap(p.pid)
	}
	clear(seen)
	maps.Copy(seen, waiting)
	return len(waiting) == 0
}

// strangers are our children that are neither leaders nor commands that this process runs for itself. Those stay in
// our session, while every tree has a session of its own that nothing of it can leave for ours. Unless the result is
// steady, a launcher that is just being spawned may be among them.
func (h *Host) strangers() (found []proc, steady bool) {
	before, spawning, _ := h.leaders()
	direct := h.children()
	after, spawningYet, leaders := h.leaders()
	session, _ := unix.Getsid(0)
	for _, pid := range direct {
		if leaders[pid] {
			continue
		}
		if p, ok := readProc(pid); ok && p.session != session {
			found = append(found, p)
		}
	}
	return found, before == after && !spawning && !spawningYet
}

// leaders returns how many spawns there were, whether one goes on, and the pids of those that live.
func (h *Host) leaders() (spawns int, spawning bool, pids map[int]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	pids = make(map[int]bool, len(h.live))
	for i := range h.live {
		pids[i.pid] = true
	}
	if h.spare != nil {
		pids[h.spare.pid] = true
	}
	for f := range h.forkers {
		pids[f.pid] = true
	}
	return h.spawns, h.spawning > 0, pids
}

func (h *Host) children() []int {
	self := os.Getpid()
	if pids, ok := children(self); ok {
		return pids
	}
	all, _ := snapshot()
	var pids []int
	for _, p := range all {
		if p.parent == self {
			pids = append(pids, p.pid)
		}
	}
	return pids
}
