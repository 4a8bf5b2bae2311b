package process

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Host is the supervisor's side. There is one in a process, since a subreaper's orphans and the incarnations among the
// children of a process can be told apart by one only. Its methods may be called concurrently.
type Host struct {
	options Options
	hash    string
	cgroup  string // folder in which leaves are made, or ""
	why     string // why there is none
	joins   bool   // launchers enter their leaf, as if the kernel could not clone into it

	files  kernelFiles // that Usage reads
	census census      // for Clear

	mu       sync.Mutex
	claims   map[string]*os.File
	live     map[*Incarnation]struct{} // from before its spawn until it is reaped
	spawns   int                       // how many spawns began
	spawning int                       // how many of them go on: their children are not in live with their pids yet
	notes    []string

	spare       *spare
	spareComing bool
	making      sync.WaitGroup // spares that are being spawned or ended, and forkers that are not yet

	makingForker sync.Mutex
	forker       *forker
	forkers      map[*forker]struct{} // that are not reaped
	forkerDue    time.Time            // no other is made before
	unforked     error                // why the kernel made none of its children
	closed       bool

	closing sync.Once
	stop    chan struct{}
	done    chan struct{}
}

// NewHost makes this process a supervisor of process trees.
func NewHost(options Options) (*Host, error) {
	if !filepath.IsAbs(options.RuntimeDir) {
		return nil, fmt.Errorf("cannot keep locks in %q: it is not an absolute path", options.RuntimeDir)
	}
	if options.Executable == "" {
		options.Executable = "/proc/self/exe"
	}
	// Two names of one folder must give one hash.
	if err := makeLockDirs(options.RuntimeDir); err != nil {
		return nil, err
	}
	dir, err := filepath.EvalSymlinks(options.RuntimeDir)
	if err != nil {
		return nil, fmt.Errorf("cannot find the runtime folder: %w", err)
	}
	options.RuntimeDir = dir
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("cannot become a subreaper: %w", err)
	}
	raiseFileLimit()
	h := &Host{
		options: options, hash: directoryHash(dir),
		claims: map[string]*os.File{}, live: map[*Incarnation]struct{}{}, forkers: map[*forker]struct{}{},
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	if options.NoCgroup {
		h.why = "not wanted"
	} else if h.cgroup, err = findCgroup(h.hash); err != nil {
		h.cgroup, h.why = "", err.Error()
	} else {
		h.cgroup = settle(h.cgroup)
		sweepLeaves(h.cgroup)
	}
	deaths := make(chan os.Signal, 1)
	signal.Notify(deaths, syscall.SIGCHLD)
	go h.collectOrphans(deaths)
	go h.theForker() // it is warm by the time that a service is started
	return h, nil
}

// raiseFileLimit raises the soft limit by a raw prlimit, which Go undoes in the children that it starts.
func raiseFileLimit() {
	var limit unix.Rlimit
	if unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &limit) == nil && limit.Cur < limit.Max {
		limit.Cur = limit.Max
		_ = unix.Prlimit(0, unix.RLIMIT_NOFILE, &limit, nil) // fewer descriptors, fewer services: Start will say so
	}
}

// Containment says how trees are held together, for an operator.
func (h *Host) Containment() string {
	if h.cgroup != "" {
		return "cgroup " + h.cgroup
	}
	return "process group and subreaper: no writable cgroup2 (" + h.why + ")"
}

// Notes are what an operator should know once: limits that cannot be set here.
func (h *Host) Notes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.notes)
}

func (h *Host) note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.notes, text) {
		h.notes = append(h.notes, text)
	}
}

// Close gives up all claims and ends the spare launcher and the forker. It is an error while an incarnation is not reaped.
func (h *Host) Close() error {
	h.mu.Lock()
	for i := range h.live {
		h.mu.Unlock()
		return fmt.Errorf("cannot close: service %s still runs", i.service)
	}
	for service, file := range h.claims {
		file.Close()
		delete(h.claims, service)
	}
	s := h.spare
	h.spare, h.closed = nil, true
	for f := range h.forkers {
		f.socket.Close() // whoever listens to it sees to its end
	}
	h.mu.Unlock()
	if s != nil {
		h.discard(s)
	}
	h.making.Wait() // a spare that comes now is ended by whoever makes it
	h.closing.Do(func() { close(h.stop) })
	<-h.done
	return nil
}

func randomID() string {
	var id [16]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}
