// Package supervise decides: what becomes of one service, or of one task (Task), given what has happened and what the time
// is.
//
// A Machine is a value. Step takes it, the time and one Event, and returns the next Machine and the Actions that the
// driver (package driver below this one) must carry out. Nothing here starts a process, reads a clock or sleeps.
//
// Rules:
//
//   - Never give up: a service that is wanted is running, being ended, or has a next start that is at most Cap away.
//
//   - Never two: Spawn is ordered only after Emptied has told that nothing of the last incarnation is left.
//
//   - Stopped means empty: Stopped is reached through Emptied, or from a state in which nothing runs.
//
//   - Only an answer counts: probes judge a daemon; an inconclusive one judges nothing.
//
//   - A readiness probe kills nothing; no other is asked before every startup probe has answered.
//
//   - Every start, end and kill comes with a Record of the reason.
//
// The tables services and tasks (table.go) are the whole of it: what each event does in each state, and where that leads.
// SPEC.md's diagrams are made of them. A new event is a type with its kind in event.go, its rows, and whoever
// tells it in package simulate, which wants every way of the tables gone.
//
// What the driver keeps, whatever happens, and package simulate does in its place:
//
//   - One event at a time, and the actions of one are carried out, in order, before the next. Of a service the times of
//     events never go back; of a task the wall clock may, the monotonic one does not.
//
//   - Due is followed by a Timer, soon after; a Timer may also come too early, twice, or where nothing is due.
//
//   - Admit is answered by one Admitted, some time. One that is late may come in any state; it is refused but in Queued.
//
//   - Spawn is answered by SpawnFailed at once; else by Executed or by NotSane or by neither, and then, some time, by one
//     Exited. After a Kill the Exited may come before Emptied, after it, or not at all.
//
//   - Kill and Clear are answered by one Emptied, however late, when nothing is left.
//
//   - Probe is followed by Answers of the probes that were asked, until StopProbes; some come late, some are lost.
//
//   - Nothing of one incarnation comes after the next Spawn, no Answer of one round after the next Probe.
//
//   - All other events may come at any time, in any number. Those of one admin come in their order.
//
//   - A driver that dies forgets its machines. Its successor begins with New, and with Inherited where a tree may be left.
//     One that becomes another program goes on with them as they were written and read (Carry).
//
// Tests: tables of conversations (events in, actions out), and package simulate, which holds every step of 150
// daemon-years to the rules.
package supervise

import (
	"fmt"
	"slices"
	"time"

	"recipe/runtime/plan"
)

// State is where a service is. Ended processes of it exist in Starting, Running, Ending and Killing alone.
type State string

// The states, in the order of a life.
const (
	Stopped  State = "stopped"  // not wanted, nothing runs
	Waiting  State = "waiting"  // for Due
	Queued   State = "queued"   // for the driver's admission: a slot, and the services that it comes after
	Starting State = "starting" // the launcher prepares
	Running  State = "running"  // the daemon was executed
	Ending   State = "ending"   // the stop signal was sent; the tree is killed at Due
	Killing  State = "killing"  // the tree is being killed, until Emptied
	Done     State = "done"     // a task that runs once has succeeded; nothing runs
)

// Config is what of a service's plan the machine needs.
type Config struct {
	Restart plan.Restart
	Stop    plan.Stop
	Probes  []plan.Probe
}

// probeState counts the answers of one probe to one incarnation.
type probeState struct {
	answered  bool // has ever succeeded
	successes int  // in a row
	failures  int  // in a row
	paused    int  // inconclusive ones in a row
	unwell    bool // has failed, as often as its role allows, since its last answer

	failing time.Time // since the first of the failures
}

// Machine is one service. The zero value is not useful; see New.
type Machine struct {
	Config Config
	State  State
	Wanted bool
	Due    time.Time // when a Timer event is wanted; zero for never
	Reason string    // why it is in this state, one sentence

	Deaths   int       // quick ones in a row
	Restarts int       // spawns after the first
	Executed time.Time // of the incarnation that runs
	Healthy  bool      // every probe has answered and none is failing; without probes: it runs

	EverHealthy bool // of the incarnation that runs

	probes   []probeState
	spawned  bool   // ever
	ending   string // why the incarnation is being ended, where that is not its own exit
	unsaid   bool   // no record tells yet why it ended
	insane   string // what the launcher said
	atOnce   bool   // the next start waits for nothing: an admin or a change asked for it
	generate uint64 // of the jitter

	extended time.Time // until when the daemon asked for, to start
	parting  time.Time // since when it is ending
	unasked  bool      // it ends by itself

	inherited bool // what is killed is an earlier supervisor's
}

// New makes the machine of a service that is stopped and empty. seed feeds the jitter.
func New(config Config, seed uint64) Machine {
	return Machine{Config: config, State: Stopped, Reason: "not started yet", generate: seed}
}

// Step takes one event. Events that mean nothing in the state, such as a late probe answer, change nothing.
func (m Machine) Step(now time.Time, event Event) (Machine, []Action) {
	m.probes = slices.Clone(m.probes)
	s := step{Machine: m, now: now}
	services.react(&s, m.State, event)
	return s.Machine, s.actions
}

// step is one transition under way.
type step struct {
	Machine
	now     time.Time
	actions []Action
}

func (s *step) do(a ...Action) { s.actions = append(s.actions, a...) }

func (s *step) record(what, format string, args ...any) {
	s.do(Record{What: what, Why: fmt.Sprintf(format, args...)})
}

// enter changes the state; due is zero where nothing is timed.
func (s *step) enter(state State, due time.Time, reason string) {
	s.State, s.Due, s.Reason = state, due, reason
}
