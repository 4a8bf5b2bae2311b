package driver

import (
	"context"
	"hash/fnv"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/logs"
	"recipe/runtime/plan"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
	"recipe/runtime/terminal"
)

// definition is what a service is made of at a time; it is replaced as a whole and never changed.
type definition struct {
	plan   *plan.Plan
	spec   *plan.Service
	task   *plan.Task // that spec was made of; nil for a service
	digest string     // of the plan
	file   string     // the recipe's
	env    *expr.Env  // nil while the flags cannot be used and never could
	fault  string     // why env is nil
}

// message is something for a service's goroutine. incarnation and asking, where set, are those that the event speaks of:
// an event of an earlier one is dropped.
type message struct {
	define      *definition
	event       supervise.Event
	incarnation uint64
	round       uint64   // of probes, that an answer belongs to
	turn        uint64   // of a roll, that the event is
	postponed   uint64   // which change this is, told again since its sockets could not be opened
	slot        *slot    // that comes with Admitted
	heard       *hearing // that was written to
	overdue     *awaited // whose time is over
	waiter      *waiter  // who waits for what the event brings about
	do          func()   // beside the event, in the service's goroutine
	upgrading   upgrading
}

// service is one service under way. The fields below the comment belong to its goroutine, which comes and goes: see mailbox.
type service struct {
	name    string
	sup     *Supervisor
	mailbox mailbox
	gone    chan struct{} // closed at its end
	leaving atomic.Bool   // end once stopped
	tally   tally
	orders  sync.Mutex // an admin's order: its note on the disk and its message, as one

	mu      sync.Mutex
	view    view
	admin   admin
	waiters []*waiter

	// of the goroutine alone
	timer       *time.Timer // nil before the first
	machine     supervise.Machine
	task        *task // nil for a service
	definition  *definition
	live        *expr.Env // the flags as the running daemon knows them
	log         *logs.Log
	sockets     sockets
	screen      atomic.Pointer[terminal.Terminal] // nil without one; set by the goroutine alone
	postponed   uint64                            // counts the changes; of the last one
	refused     error                             // why it waits; nil where it does not
	incarnation *process.Incarnation
	dying       *process.Incarnation // that is being killed
	stopKill    context.CancelFunc   // leaves what lives of it to a successor
	killed      chan struct{}        // closed when nothing kills it any more
	number      uint64               // of the incarnation, from 1
	turn        turn                 // the last of a roll
	round       uint64               // of probes, from 1
	asks        *asking              // of that round; nil before the first
	hearing     *hearing             // of the last incarnation; nil where no probe hears it
	stalls      int                  // answers that a pause made inconclusive
	dequeue     context.CancelFunc
	rewritten   *rewriting // the last of templates; nil before the first
	slot        *slot
	held        bool     // nothing is started or ended, for an upgrade
	owed        []string // signals that are owed since
	given       bool     // handed on: the successor goes on
	left        bool
	words       []string          // the last of the incarnation that died; nil once the next is started
	pending     []supervise.Event // to be stepped before the mailbox is read again
	untold      []control.Decision
	keeping     keeping
}

// newService takes a service on; the caller holds the claim on the name. It ends what an earlier supervisor left of it, and
// waits to be started.
func (s *Supervisor) newService(d *definition) (*service, error) {
	sv := s.serviceOf(d)
	log, err := s.logs.Open(s.options.LogDir, sv.name, d.spec.Logs, sv.tee())
	if err != nil {
		return nil, err
	}
	sv.log = log
	seed := fnv.New64a()
	seed.Write([]byte(sv.name))
	sv.machine = supervise.New(supervise.ConfigOf(d.spec), seed.Sum64()^uint64(os.Getpid()))
	if d.spec.Terminal {
		sv.screen.Store(terminal.New(log.Listen))
	}
	if d.task != nil {
		if sv.task, err = newTask(s.options.StateDir, d.task, seed.Sum64()^uint64(os.Getpid()), sv.ring); err != nil {
			log.Close()
			return nil, err
		}
	}
	sv.begin()
	if s.host.Left(sv.name) {
		sv.send(message{event: supervise.Inherited{}})
	}
	return sv, nil
}

// serviceOf is a service without a log and a machine.
func (s *Supervisor) serviceOf(d *definition) *service {
	return &service{name: d.spec.Name, sup: s, gone: make(chan struct{}), definition: d, admin: readAdmin(s.options.StateDir, d.spec.Name)}
}

// tee is who reads the lines of the output, or nil.
func (sv *service) tee() func([]byte) {
	if sv.sup.options.Tee == nil {
		return nil
	}
	return func(line []byte) { sv.sup.options.Tee(sv.name, line) }
}

func (sv *service) begin() {
	sv.publish()
	sv.sup.running.Add(1)
}

// leave stops the service, and ends it then.
func (sv *service) leave(why string) {
	sv.leaving.Store(true)
	sv.send(message{event: supervise.Stop{Why: why}})
}

// adopt takes a new definition. A daemon that runs goes on with the flags that it was started with, but for those that
// it is sent a signal to read again, and those that the probes alone name: the probes must ask where it listens, not where
// its successor will. It reports whether they must ask otherwise now.
func (sv *service) adopt(d *definition) (asked bool) {
	sv.definition = d
	if sv.live == nil || d.env == nil {
		return false
	}
	live := &expr.Env{Root: sv.live.Root, Facts: sv.live.Facts, Flags: maps.Clone(sv.live.Flags)}
	for name, use := range d.spec.Uses(d.plan) {
		read := use.Launch || use.Template
		if to, ok := d.env.Flags[name]; ok && to != live.Flags[name] && (!read || d.plan.Flag(name).Apply.Action == plan.ApplySignal) {
			live.Flags[name] = to
			asked = asked || use.Probe
		}
	}
	sv.live = live
	return asked
}

// close gives the claim up before the name can be looked up no longer: whoever finds no service may claim it.
func (sv *service) close() {
	sv.giveUpTerminal("the service is not supervised any longer")
	sv.log.Close()
	sv.sockets.close()
	sv.forget()
	if sv.task != nil {
		sv.task.alarm.close()
	}
	sv.sup.host.Release(sv.name)
	sv.sup.mu.Lock()
	delete(sv.sup.services, sv.name)
	sv.sup.mu.Unlock()
	sv.left = true
	sv.publish()
}

func (sv *service) take(m message) {
	if m.upgrading.asks() {
		sv.answer(m.upgrading)
		return
	}
	if m.incarnation != 0 && m.incarnation != sv.number || m.round != 0 && m.round != sv.round {
		return
	}
	if m.define != nil && sv.postpones(m) {
		return
	}
	if m.turn != 0 {
		sv.takes(m.turn, m.event)
	}
	if m.define != nil {
		after := sv.definition.spec.After
		asked := sv.adopt(m.define)
		sv.log.SetLimits(m.define.spec.Logs)
		sv.step(sv.configure(m.define))
		if asked && sv.asks != nil && !sv.asks.ended {
			sv.asks.stop()
			sv.probe()
			sv.catchUp()
		}
		if sv.machine.State == supervise.Queued && sv.dequeue != nil && !slices.Equal(after, m.define.spec.After) {
			sv.dequeue()
			sv.enqueue()
		}
	}
	if m.slot != nil {
		if sv.machine.State != supervise.Queued {
			m.slot.release()
			return
		}
		sv.slot = m.slot
	}
	if _, start := m.event.(supervise.Start); start && sv.leaving.Load() {
		m.event = nil // what is on its way out is not started again
	}
	if answer, ok := m.event.(supervise.Answer); ok && answer.Inconclusive {
		sv.stalls++
	}
	if m.event != nil {
		sv.tally.told(m.event, m.waiter != nil)
		sv.step(m.event)
	}
	if m.heard != nil {
		sv.hear(m.heard)
	}
	if m.overdue != nil {
		sv.overdue(m.overdue)
	}
	if m.do != nil {
		m.do()
	}
	if m.waiter != nil {
		sv.register(m.waiter)
	}
}

// step lets the machine decide and carries out what it decided, with all that follows at once.
func (sv *service) step(first supervise.Event) {
	sv.pending = append(sv.pending[:0], first)
	sv.catchUp()
}

// catchUp steps what is pending.
func (sv *service) catchUp() {
	for len(sv.pending) > 0 {
		event := sv.pending[0]
		sv.pending = sv.pending[1:]
		before := sv.machine
		var actions []supervise.Action
		if sv.task != nil {
			sv.task.machine, actions = sv.task.machine.Step(time.Now(), event)
			sv.machine = sv.task.machine.Machine
		} else {
			sv.machine, actions = sv.machine.Step(time.Now(), event)
		}
		sv.tally.stepped(time.Now(), event, &before, &sv.machine)
		var words []string
		if _, died := event.(supervise.Emptied); died {
			words = sv.log.LastWords()
			sv.words = words
		}
		for _, a := range actions {
			if r, ok := a.(supervise.Record); ok {
				sv.record(r, words)
			}
		}
		for _, a := range actions {
			sv.act(a)
		}
		sv.settle(before)
	}
	sv.tell()
	sv.publish()
}

// settle gives back what belongs to a state that was left.
func (sv *service) settle(before supervise.Machine) {
	if before.State == supervise.Queued && sv.machine.State != supervise.Queued && sv.dequeue != nil {
		sv.dequeue()
		sv.dequeue = nil
	}
	if sv.machine.State != supervise.Starting && sv.machine.State != supervise.Queued && sv.slot != nil {
		sv.slot.release()
		sv.slot = nil
	}
	if before.State == supervise.Killing && sv.machine.State != supervise.Killing {
		sv.dying = nil
	}
	if before.State != supervise.Stopped && sv.machine.State == supervise.Stopped {
		sv.log.EndIncarnation()
		sv.sockets.close()
	}
}
