// Package control is how operators talk to a running supervisor: HTTP and JSON over one unix socket a supervisor.
//
//	Backend   what a supervisor can be asked; supervise implements it
//	Listener  the socket of a supervisor, and who may come in (access.go, connection.go)
//	server    the requests and their answers: server.go, stream.go of events, attach.go and frame.go of terminals
//	orders    the answers to commands are remembered, in a file as well: memory.go
//	Handed    what a supervisor leaves to the program that it becomes: handover.go, underway.go
//	Host      the sockets of all supervisors of a runtime folder
//	Client    one supervisor, seen from outside
//	Error     the same on both sides of the wire
//
// Rules:
//   - A socket is made with mode 0600. Every connection must come from root, from the supervisor's user, or from a member
//     of a group that was named to read or to command, which the kernel says (SO_PEERCRED, SO_PEERGROUPS). Nothing that
//     anyone else sends is read.
//   - An answer to a command means that its effect was seen. A client that goes away undoes nothing.
//   - A command with an id is carried out once: whoever repeats it gets the answer to the first.
//   - Nobody can hold the supervisor up: requests are bounded in number, size and time. Where there are too many
//     connections, the oldest that has not sent a whole request makes room. Idle costs one goroutine that waits for a
//     connection.
//   - A socket that nobody listens on is replaced; one that somebody listens on never is.
//   - Paths begin with /v1. Fields are added to answers, never taken away or given another meaning.
//
// SPEC.md lists the requests and the codes of errors; a test holds it to the tables here.
//
// Tests: a real socket with a fake Backend, strangers and members in processes of their own, requests that stay half-sent.
package control

import (
	"context"
	"time"
)

// State is where a service is in its life.
type State string

// The states. A service without probes stays running and never turns healthy.
const (
	Waiting   State = "waiting"   // for a delay to pass or for another service
	Starting  State = "starting"  // preparing
	Running   State = "running"   // executed, not yet known to be healthy
	Healthy   State = "healthy"   // its probes succeed
	Unhealthy State = "unhealthy" // a probe fails, not yet often enough to kill
	Stopping  State = "stopping"  // asked to end; something of its tree is left
	Done      State = "done"      // a task that runs once has succeeded
	Stopped   State = "stopped"   // nothing of its tree is left, and nothing will start it but an operator

	Quarantined State = "quarantined" // stopped, and not even a start will start it before a release
)

// Goal is what an operator wants of a service.
type Goal string

// Up is what every service begins with.
const (
	Up   Goal = "up"
	Down Goal = "down"
)

// Status is one service at one moment. Times are absent (nil) where there is none.
type Status struct {
	Service     string     `json:"service"`
	Recipe      string     `json:"recipe"`         // the plan's name
	File        string     `json:"file,omitempty"` // the recipe, or the plan's JSON
	State       State      `json:"state"`
	Since       time.Time  `json:"since"` // when State began
	Reason      string     `json:"reason"`
	PID         int        `json:"pid,omitempty"`
	Healthy     *bool      `json:"healthy,omitempty"` // nil: it has no probes
	Restarts    int        `json:"restarts"`          // since the supervisor took it on
	NextStart   *time.Time `json:"next_start,omitempty"`
	Words       []string   `json:"words,omitempty"` // the last lines of the incarnation whose successor is waited for
	Desired     Goal       `json:"desired"`
	Stop        *AdminStop `json:"stop,omitempty"` // an operator's stop, until a start
	Quarantine  *AdminStop `json:"quarantine,omitempty"`
	Containment string     `json:"containment"` // what holds its tree together, as in "cgroup"
	Digest      string     `json:"digest"`      // of the plan
	LogDir      string     `json:"log_dir"`
	Stalls      int        `json:"stalls,omitempty"`   // probes that proved nothing, since the supervisor, the machine or the service was paused
	Says        string     `json:"says,omitempty"`     // the daemon's own words on its state, by the protocol of sd_notify
	Dropped     int        `json:"dropped,omitempty"`  // messages by that protocol that were of strangers, or could not be read
	Terminal    bool       `json:"terminal,omitempty"` // it can be attached to
	Task        *Task      `json:"task,omitempty"`     // nil for a service
}

// Task is what a Status says of a task beyond what services have.
type Task struct {
	Every string `json:"every,omitempty"` // absent for one that runs once
	Runs  []Run  `json:"runs"`            // the last of them, the oldest first; the very last may be under way
}

// Run is one run of a task.
type Run struct {
	Began  time.Time  `json:"began"`
	Ended  *time.Time `json:"ended,omitempty"` // nil while it is under way
	OK     bool       `json:"ok"`
	Result string     `json:"result,omitempty"`
	Words  []string   `json:"words,omitempty"` // the last lines of its output
}

// LastRun is the last that has ended, or nil.
func (t *Task) LastRun() *Run {
	for i := len(t.Runs) - 1; i >= 0; i-- {
		if t.Runs[i].Ended != nil {
			return &t.Runs[i]
		}
	}
	return nil
}

// Supervisor is what a supervisor tells of itself.
type Supervisor struct {
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Since   time.Time `json:"since"` // over upgrades
	Means   []Mean    `json:"means"`
}

// Mean is by what a promise is kept on this host. By is for a reader; Promise is one of a few words, which SPEC.md lists.
type Mean struct {
	Promise string `json:"promise"`
	By      string `json:"by"`
}

// AdminStop says who took a service down, by a stop or into quarantine.
type AdminStop struct {
	By   string    `json:"by"`
	When time.Time `json:"when"`
	Why  string    `json:"why,omitempty"`
}

// IsUp reports whether the service does its work, as far as anyone asks it; of a task, whether it is wanted and its last
// run, if there was one, succeeded.
func (s *Status) IsUp() bool {
	if s.Task != nil {
		last := s.Task.LastRun()
		return s.Desired == Up && (last == nil || last.OK)
	}
	return s.State == Healthy || s.State == Running && s.Healthy == nil
}

// Decision is one thing that a supervisor did of its own accord or when told, and what made it do so.
type Decision struct {
	Time     time.Time `json:"time"`
	Service  string    `json:"service"`
	What     string    `json:"what"`
	Why      string    `json:"why"`
	Evidence string    `json:"evidence,omitempty"`
	Words    []string  `json:"words,omitempty"` // the last lines of output before a death
}

// The words for events that are no decisions.
const (
	WhatState = "state" // the service is in another State
	WhatLost  = "lost"  // the viewer was too slow
)

// Event is one thing that happened under a supervisor. Seq grows from one to the next, with gaps, and goes on over
// supervisors. Service is empty where it concerns all.
type Event struct {
	Seq uint64 `json:"seq"`
	Decision
	State State `json:"state,omitempty"` // of a WhatState
	PID   int   `json:"pid,omitempty"`   // of a WhatState
	Lost  int   `json:"lost,omitempty"`  // of a WhatLost: how many events before this one were left out
}

// Query chooses events. Of those that have been, it takes what came after the number Since or at the time At or later;
// with neither, none. Follow goes on with those to come. Services are all where there are none.
type Query struct {
	Since    *uint64
	At       time.Time
	Services []string
	Follow   bool
}

// Caller is who asks, as the kernel knows them. User is a name fit for a record: of the account, and of the person
// behind it where root says so. Why is one line and may be empty. Ordered is set for a command that an earlier supervisor
// took at that time and did not answer: it may have been carried out.
type Caller struct {
	UID     int
	User    string
	Why     string
	Ordered time.Time
}

// Backend is a supervisor as operators see it. Its methods are called from several goroutines at once. A name that is
// no service gives Unknown; an error that is no *Error reaches the client as Failed.
//
// Commands return once their effect was seen: a daemon executed, nothing of its tree left, a new incarnation executed, a
// signal delivered, changed flags with the daemons that have them. A start that failed and waits for another try is seen
// too: the Status says Waiting, and why. They return early when ctx ends, and what was asked for goes on. Start of a
// service that runs and Stop of one that is down succeed at once. Start of a task runs it now, unless a run is under way,
// and it and Restart return when a run has ended. Quarantine, whose Caller says why, is a Stop that no Start ends; Release
// ends it, and what was wanted before is wanted again. Why gives the oldest decision first. Events tells until ctx ends,
// tell fails, or there are no more; it never waits for tell without bound, and counts what it left out.
type Backend interface {
	Status(ctx context.Context) []Status
	Supervisor(ctx context.Context) Supervisor
	Why(ctx context.Context, service string) ([]Decision, error)
	Events(ctx context.Context, query Query, tell func(Event) error) error
	Start(ctx context.Context, service string, by Caller) (Status, error)
	Stop(ctx context.Context, service string, by Caller) (Status, error)
	Restart(ctx context.Context, service string, by Caller) (Status, error)
	Attach(ctx context.Context, service string, by Caller, how Attach) (Attachment, error)
	Quarantine(ctx context.Context, service string, by Caller) (Status, error)
	Release(ctx context.Context, service string, by Caller) (Status, error)
	Signal(ctx context.Context, service, signal string, by Caller) (Status, error)
	Set(ctx context.Context, service string, changes Changes, by Caller) (Changed, error)

	// Upgrade makes the supervisor the program that is installed by now. It returns with an error, or, in the successor, on a
	// connection that was handed on.
	Upgrade(ctx context.Context, by Caller) (Upgraded, error)
}

// Upgraded is a supervisor that has become another program. PID is as before.
type Upgraded struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
}
