package supervise

import (
	"time"

	"recipe/runtime/plan"
)

// Event is something that happened. Why names who wanted it, such as "the recipe", and opens the reason of what follows.
type Event interface{ kind() kind }

// kind finds an event's reactions.
type kind int

const (
	kindStart kind = iota
	kindStop
	kindRestart
	kindReload
	kindConfigure
	kindHasten
	kindTimer
	kindAdmitted
	kindExecuted
	kindNotSane
	kindSpawnFailed
	kindExited
	kindEmptied
	kindAnswer
	kindExtend
	kindLeaving
	kindRunNow
	kindConfigureTask
	kindInherited
	kinds // how many there are
)

// EventName is what people call the event, and Row does.
func EventName(e Event) string { return e.kind().String() }

func (k kind) String() string {
	return [kinds]string{"start", "stop", "restart", "reload", "change", "hasten", "due", "admitted", "executed", "not sane",
		"spawn failed", "exit", "empty", "answer", "more time", "leaving", "run", "change", "inherited"}[k]
}

// Inherited tells that an earlier supervisor may have left processes of the service. It comes before all else, or not at all.
type Inherited struct{}

// Start wants the service up: at boot, by an admin, after a change.
type Start struct{ Why string }

// Stop wants the service down.
type Stop struct{ Why string }

// Restart wants a new incarnation of a service that is wanted; of one that is not, it is nothing.
type Restart struct{ Why string }

// Reload has templates rewritten and the signal sent to a daemon that runs; a start under way begins anew. In any other
// state the next start shows the change by itself.
type Reload struct{ Signal, Why string }

// Configure replaces the configuration. Counts of probes begin anew where the probes changed.
type Configure struct{ Config Config }

// Hasten ends what is ending at once, without the rest of its grace.
type Hasten struct{ Why string }

// Timer tells that Due has come.
type Timer struct{}

// Admitted answers Admit.
type Admitted struct{}

// Executed tells that the launcher became the daemon.
type Executed struct{}

// NotSane tells why the launcher will not become the daemon; its Exited follows.
type NotSane struct{ Reason string }

// SpawnFailed answers Spawn where no process came to be.
type SpawnFailed struct{ Reason string }

// Exited tells that the leader of the tree is gone, and how: "exit code 3", "signal KILL". OK is exit code 0, which is
// what a task wants.
type Exited struct {
	Status string
	OK     bool
}

// RunNow wants a run of a task at once, and the task from then on.
type RunNow struct{ Why string }

// ConfigureTask replaces the configuration of a task.
type ConfigureTask struct{ Config TaskConfig }

// Emptied answers Kill: no process of the tree is left. Left is how many there were besides the leader; after Clear, in all.
type Emptied struct{ Left int }

// Answer is the result of one probe.
type Answer struct {
	Probe        int // index in Config.Probes
	OK           bool
	Inconclusive bool   // we were stalled ourselves: it says nothing of the daemon
	Hung         bool   // the daemon itself says so: nothing more is waited for
	Detail       string // what was asked and found
	Name         string // of the probe, for people
	Took         time.Duration
}

// Extend tells that the daemon asks for that much time from now on, to start or to stop.
type Extend struct{ By time.Duration }

// Leaving tells that the daemon says it is stopping, without having been asked to.
type Leaving struct{}

func (Inherited) kind() kind     { return kindInherited }
func (Extend) kind() kind        { return kindExtend }
func (Leaving) kind() kind       { return kindLeaving }
func (Start) kind() kind         { return kindStart }
func (Stop) kind() kind          { return kindStop }
func (Restart) kind() kind       { return kindRestart }
func (Reload) kind() kind        { return kindReload }
func (Configure) kind() kind     { return kindConfigure }
func (Hasten) kind() kind        { return kindHasten }
func (Timer) kind() kind         { return kindTimer }
func (Admitted) kind() kind      { return kindAdmitted }
func (Executed) kind() kind      { return kindExecuted }
func (NotSane) kind() kind       { return kindNotSane }
func (SpawnFailed) kind() kind   { return kindSpawnFailed }
func (Exited) kind() kind        { return kindExited }
func (Emptied) kind() kind       { return kindEmptied }
func (Answer) kind() kind        { return kindAnswer }
func (RunNow) kind() kind        { return kindRunNow }
func (ConfigureTask) kind() kind { return kindConfigureTask }

// Action is something that the driver must do.
type Action interface{ action() }

// Admit asks for Admitted, once the driver has a slot and the services before this one are up.
type Admit struct{}

// Spawn starts the launcher of a new incarnation; Executed, NotSane, SpawnFailed and Exited tell what comes of it.
type Spawn struct{}

// Signal goes to the leader.
type Signal struct{ Name string }

// Rewrite has the templates rewritten and then the signal sent to the leader.
type Rewrite struct{ Signal string }

// Kill ends the whole tree with SIGKILL and then tells Emptied. The leader may be gone already.
type Kill struct{}

// Clear ends with SIGKILL all that an earlier supervisor left, and then tells Emptied.
type Clear struct{}

// Probe starts the probes that Machine.Asked tells; StopProbes ends them, answers on their way included.
type Probe struct{}

// StopProbes ends what Probe began.
type StopProbes struct{}

// Ran ends a run of a task: nothing of it is left. Result is one sentence.
type Ran struct {
	OK     bool
	Result string
}

// Record keeps a decision and its reason for people.
type Record struct{ What, Why string }

func (Admit) action()      {}
func (Spawn) action()      {}
func (Signal) action()     {}
func (Rewrite) action()    {}
func (Kill) action()       {}
func (Clear) action()      {}
func (Probe) action()      {}
func (StopProbes) action() {}
func (Ran) action()        {}
func (Record) action()     {}

// ConfigOf takes from a service what the machine needs.
func ConfigOf(s *plan.Service) Config {
	return Config{Restart: s.Restart, Stop: s.Stop, Probes: s.Probes}
}
