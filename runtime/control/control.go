// Package control is how operators talk to a running supervisor: HTTP and JSON over one unix socket a supervisor.
//
//	Backend   what a supervisor can be asked; supervise implements it
//	Listener  the socket of a supervisor, and the server on it
//	Host      the sockets of all supervisors of a runtime folder
//	Client    one supervisor, seen from outside
//	Error     the same on both sides of the wire
//
// Rules:
//   - A socket is made with mode 0600, and every connection must come from root or from the supervisor's user, which
//     the kernel says (SO_PEERCRED). Nothing that anyone else sends is read.
//   - An answer to start, stop or restart means that its effect was seen. A client that goes away undoes nothing.
//   - Nobody can hold the supervisor up: requests are bounded in number, size and time, and no state is kept between
//     them. Idle costs one goroutine that waits for a connection.
//   - A socket that nobody listens on is replaced; one that somebody listens on never is.
//   - Paths begin with /v1. Fields are added to answers, never taken away or given another meaning.
//
// The requests:
//
//	GET  /v1/status                                    {"services": [Status...]}
//	GET  /v1/services/NAME/why                         {"decisions": [Decision...]}
//	POST /v1/services/NAME/start, .../stop, .../restart   {"why": TEXT, "sudo_user": NAME} gives a Status
//	POST /v1/services/NAME/attach                      upgrades the connection to frames (frame.go, attach.go)
//
// Tests: a real socket with a fake Backend, a stranger in a process of its own, requests that stay half-sent.
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
	Recipe      string     `json:"recipe"` // the plan's name
	State       State      `json:"state"`
	Since       time.Time  `json:"since"` // when State began
	Reason      string     `json:"reason"`
	PID         int        `json:"pid,omitempty"`
	Healthy     *bool      `json:"healthy,omitempty"` // nil: it has no probes
	Restarts    int        `json:"restarts"`          // since the supervisor took it on
	NextStart   *time.Time `json:"next_start,omitempty"`
	Desired     Goal       `json:"desired"`
	Stop        *AdminStop `json:"stop,omitempty"` // set where Desired is Down
	Containment string     `json:"containment"`    // what holds its tree together, as in "cgroup"
	Digest      string     `json:"digest"`         // of the plan
	LogDir      string     `json:"log_dir"`
	Stalls      int        `json:"stalls,omitempty"`   // probes that proved nothing, since the supervisor, the machine or the service was paused
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

// AdminStop says who took a service down.
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
}

// Caller is who asks, as the kernel knows them. User is a name fit for a record: of the account, and of the person
// behind it where root says so. Why is one line and may be empty.
type Caller struct {
	UID  int
	User string
	Why  string
}

// Backend is a supervisor as operators see it. Its methods are called from several goroutines at once. A name that is
// no service gives Unknown; an error that is no *Error reaches the client as Failed.
//
// Start, Stop and Restart return once their effect was seen: a daemon executed, nothing of its tree left, a new
// incarnation executed. A start that failed and waits for another try is seen too: the Status says Waiting, and why.
// They return early when ctx ends, and what was asked for goes on. Start of a service that runs and Stop of one that is
// down succeed at once. Start of a task runs it now, unless a run is under way, and it and Restart return when a run has
// ended. Why gives the oldest decision first.
type Backend interface {
	Status(ctx context.Context) []Status
	Why(ctx context.Context, service string) ([]Decision, error)
	Start(ctx context.Context, service string, by Caller) (Status, error)
	Stop(ctx context.Context, service string, by Caller) (Status, error)
	Restart(ctx context.Context, service string, by Caller) (Status, error)
	Attach(ctx context.Context, service string, by Caller, how Attach) (Attachment, error)
}
