// Package process runs one incarnation of a daemon as a process tree, ends it whole, and clears what an earlier
// supervisor left behind. Linux 5.4 or later.
//
// A Host is the supervisor's side: Claim a service, Clear what is left of it, then Start, KillTree, Reap, Start ...
// Nothing of the service's runs, is opened or is waited for in the supervisor itself. A daemon for which nothing has to be
// prepared is cloned by our own executable as forker (forker.go, forking.go); for any other, our executable as launcher
// (Launching, Launch; spawn.go) prepares and then becomes the daemon. One of each is kept warm (spare.go). A daemon cannot
// tell which of the two made it. The main program, and the test binary of whoever has a Host, asks Launching before all
// else.
//
// kill.go ends trees, usage.go and pressure.go measure them, handover.go gives them to the program that this process becomes.
//
// Rules:
//   - Parentage is the only link: no file with a pid is written or read. The leader stays a zombie until its tree is
//     gone, so that its pid, its session and its process group name nobody else.
//   - Stopped means empty: the tree is held by a fresh leaf cgroup (cgroup.go), or, where no cgroup2 can be written, by
//     session, process group, lock descriptor, marker in the environment and the subreaper (descent.go).
//   - Never two: each tree inherits a descriptor with an flock of its own (lock.go); while any of its processes holds
//     it, Start refuses, in whatever supervisor.
//   - A supervisor may die at any instant. What it left is found by lock, by the note of its leaf's path and by the
//     marker (clear.go, census.go). A note's path holds an incarnation's random ID and so never means anything else later.
//   - One goroutine and one pidfd in the poller per incarnation; children are waited for by pid, never by wait4(-1).
//     A subreaper's orphans are reaped as well (orphans.go), but for those in our own session: what this process runs
//     for itself must not be given a session of its own.
//
// Tests: real processes throughout, the test binary being launcher, daemon and supervisor; each containment for itself.
package process

import (
	"crypto/sha256"
	"encoding/hex"
	"os"

	"recipe/runtime/launch"
)

// Options of a Host.
type Options struct {
	RuntimeDir string // absolute; locks and notes lie in its folder "locks"
	Executable string // what is spawned as launcher; /proc/self/exe where empty, which survives an upgrade of the file
	NoCgroup   bool   // behave as if no cgroup2 could be written
	NoSpare    bool   // keep no launcher warm, which costs every restart by a launcher the start of our executable
	NoForker   bool   // have every daemon started by a launcher
}

// Order is one start of a service.
type Order struct {
	Service string // as in the plan: no slash
	ID      string // unique for ever, as 128 random bits in hex
	Spec    *launch.Spec
	Sockets []*os.File  // that the daemon is handed, as many as Spec.Handed; stay the caller's to close
	Output  *os.File    // stdout and stderr of launcher and daemon; stays the caller's to close
	Notify  func(Event) // called in order, from a goroutine of the incarnation; it may be nil

	// Meanwhile is called by Start, once or never, when the daemon is being made and is all that Start waits for. It may be nil.
	Meanwhile func()
}

// markerName is the variable by which a process that left its leader's session and parent is still known.
const markerName = "RECIPE_INCARNATION"

// marker is that variable with the value SERVICE/ID/HASH, HASH standing for the runtime directory, so that nobody ends the processes of a
// supervisor that has another one.
func (h *Host) marker(service, id string) string {
	return markerName + "=" + service + "/" + id + "/" + h.hash
}

func directoryHash(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:6])
}
