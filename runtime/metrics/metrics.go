// Package metrics shows a supervisor to Prometheus and to load balancers: one table of metrics, written from a snapshot.
//
//	Snapshot   what is shown, at one moment; the driver takes it
//	Metric     a row of the table: name, type, labels, help, and what of a snapshot it writes
//	Write      the exposition, in Prometheus' text format or OpenMetrics
//	Serve      /metrics and /healthz over HTTP
//
// Rules:
//   - Nothing is kept between two scrapes and nothing is read before one: who does not ask pays nothing, in memory too. That
//     is why this is not prometheus/client_golang, which costs 2.9 MB of binary, 2.4 MB of memory at rest and, for the
//     states of 1,000 services, 3.4 MB more.
//   - Labels are names that recipes declare and words of closed lists, never anything that a daemon or a client says, so
//     that the series are bounded by the recipes.
//   - Names and units are Prometheus' own: seconds, bytes, _total for what only grows, process_ and go_ as its clients have them.
//   - A reader that breaks off, hangs or floods costs its own connection, and never a service.
//
// A new metric is a row in table.go. SPEC.md's table is made of the rows. Tests: golden files of both formats, a parser of
// their grammar that any labels must pass, and a server with clients that misbehave.
package metrics

import (
	"slices"
	"time"

	"recipe/runtime/control"
)

// Snapshot is a supervisor at one moment. Lists are in the order in which they are shown.
type Snapshot struct {
	Version     string // of this program
	Go          string
	Containment string // what holds trees together, as in "cgroup"
	Started     time.Time
	Self        Usage
	Heap        uint64 // bytes of live objects, and of garbage that was not collected
	Mapped      uint64 // bytes that the runtime has of the system
	Goroutines  int
	MostFiles   uint64 // descriptors that this process may have
	Recipes     []Recipe
	Services    []Service
}

// Recipe is a file that is supervised.
type Recipe struct {
	Name    string
	Digest  string // of the plan that holds; "" while there was none
	Refused bool   // the file, or its flags, cannot be used as they are now
}

// Service is a service or a task. Zero times and durations are those of what has not been.
type Service struct {
	Name, Recipe, Digest string
	State                control.State
	Up                   bool // does its work
	Wanted               bool // nobody has stopped it
	Healthy              *bool
	Restarts             [len(Causes)]uint64 // by Cause
	Exit                 *Exit
	Executed             time.Time     // of the incarnation that runs
	Start, Ready         time.Duration // of the last start: until executed, and from there until healthy
	Stalls               uint64
	Probes               []Probe
	Usage                *Usage // nil where nothing runs
	Log                  Log
	Task                 *Task // nil for a service
}

// Cause is why a service was started again, an index of Causes.
type Cause int

// The causes.
const (
	ByExit Cause = iota
	BySignal
	ByProbe
	ByPrepare
	BySpawn
	ByChange
	ByOperator
)

// Causes are the words for them, in the order of the constants.
var Causes = [...]string{
	ByExit: "exit", BySignal: "signal", ByProbe: "probe", ByPrepare: "prepare", BySpawn: "spawn", ByChange: "change", ByOperator: "operator",
}

// States are the words for where a service is, as `recipe status` has them.
var States = [...]control.State{
	control.Waiting, control.Starting, control.Running, control.Healthy, control.Unhealthy, control.Stopping, control.Done, control.Stopped,
	control.Quarantined,
}

// Exit is how an incarnation ended. Code is 128+N for signal N, as shells have it.
type Exit struct {
	Code int
	At   time.Time
}

// Probe is what became of the questions of one probe. Name is unique among a service's.
type Probe struct {
	Name    string
	Results [len(Results)]uint64 // by Result
	Took    Histogram            // of those that were conclusive
}

// Result is what came of a question, an index of Results.
type Result int

// The results.
const (
	Success Result = iota
	Failure
	Inconclusive
)

// Results are the words for them, in the order of the constants.
var Results = [...]string{Success: "success", Failure: "failure", Inconclusive: "inconclusive"}

// Usage is what processes take: bytes of memory, time of the processor since they were started, numbers of descriptors and
// of processes.
type Usage struct {
	Memory, Virtual        uint64
	CPU                    time.Duration
	Descriptors, Processes int
}

// Log is what became of a service's output, since the supervisor took it on.
type Log struct {
	Bytes, Dropped uint64 // written to files; lines in no file
}

// Task is what a task has beyond a service.
type Task struct {
	Runs, Failures uint64 // that ended, since the supervisor took it on
	Succeeded      time.Time
	Ended          time.Time // the last run that has
	Took           time.Duration
	OK             bool
}

// Bounds are the upper ends of a histogram's buckets, in seconds; the last has none. A probe on the same host takes
// milliseconds, one that times out seconds.
var Bounds = [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// Histogram counts durations by Bounds. Its zero value is empty.
type Histogram struct {
	Buckets [len(Bounds) + 1]uint64 // not cumulative
	Sum     time.Duration
}

// Add counts one.
func (h *Histogram) Add(d time.Duration) {
	at, _ := slices.BinarySearch(Bounds[:], d.Seconds())
	h.Buckets[at]++
	h.Sum += d
}
