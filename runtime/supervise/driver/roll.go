package driver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

// roll restarts what a change restarts, one service at a time: each when the one before it is ready with the change, or was
// stopped by somebody. Where one fails, the rest go on as they are, until the next change, or until somebody restarts it or
// one of them. Services that do not run, and those that need no restart, do not wait. Its methods may be called concurrently.
type roll struct {
	sup   *Supervisor
	pause time.Duration // that one without probes has to run

	mu      sync.Mutex
	told    map[string]*definition // what each service was told last
	waiting []*move                // in the order in which they are told
	current string                 // who is to become ready; "" for nobody
	failed  string                 // who did not; "" for nobody
	before  uint64                 // the number of its incarnation until then
	turn    uint64                 // counts those that are waited for
	cancel  context.CancelFunc     // of the wait
}

// rollPause is how long a service without probes has to run before the next is touched.
const rollPause = time.Second

func newRoll(s *Supervisor) *roll {
	return &roll{sup: s, pause: rollPause, told: map[string]*definition{}, cancel: func() {}}
}

// move is what brings a service to its next definition.
type move struct {
	service *service
	to      *definition
	events  []supervise.Event

	witnesses []*witness // who wait until it has been told
}

func (m *move) tell() {
	defer m.ask()
	first := message{define: m.to}
	rest := m.events
	if len(rest) > 0 {
		first.event, rest = rest[0], rest[1:]
	}
	m.service.send(first)
	for _, event := range rest {
		m.service.send(message{event: event})
	}
}

func (m *move) ask() {
	for _, w := range m.witnesses {
		w.ask()
	}
}

// restarts reports whether the move ends a daemon that runs.
func (m *move) restarts() bool {
	if len(m.events) == 0 || m.to.task != nil {
		return false
	}
	_, anew := m.events[0].(supervise.Restart)
	return anew && m.service.snapshot().machine.State == supervise.Running
}

// begins notes what a new service begins with.
func (r *roll) begins(d *definition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told[d.spec.Name] = d
}

// last is what the service was told last.
func (r *roll) last(name string) *definition {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[name]
}

// at is where a service stands among those that wait, or -1.
func (r *roll) at(sv *service) int {
	return slices.IndexFunc(r.waiting, func(m *move) bool { return m.service == sv })
}

// witness has a service asked once it has been told what it is to be told last.
func (r *roll) witness(w *witness, touched bool) {
	w.touched = touched
	r.mu.Lock()
	defer r.mu.Unlock()
	switch at := r.at(w.sv); {
	case at < 0:
		w.ask()
	case r.failed != "":
		w.waits(r.waits())
	default:
		r.waiting[at].witnesses = append(r.waiting[at].witnesses, w)
	}
}

// carry is how far the roll has come.
func (r *roll) carry() carriedRoll {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := carriedRoll{Failed: r.failed, Current: r.current}
	if r.current != "" {
		c.Before = r.before
	}
	return c
}

// resume goes on from there; change has to be told what services were still to be told.
func (r *roll) resume(c carriedRoll) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = c.Failed
	if sv := r.sup.service(c.Current); sv != nil {
		r.await(sv, c.Before)
	}
}

// waits is why nobody is told for now.
func (r *roll) waits() error {
	return fmt.Errorf("the change waits, and what runs goes on: %s did not become ready with it; the next change, or `recipe restart` of one of them, goes on with it", r.failed)
}

// forget leaves out a service that is taken out of its recipe.
func (r *roll) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.told, name)
	r.waiting = slices.DeleteFunc(r.waiting, func(m *move) bool { return m.service.name == name })
	if r.failed == name {
		r.failed = ""
	}
	if r.current == name {
		r.settled()
	}
	r.advance()
}

// change tells the services of one recipe what has changed, at once or in their turn. moves are in the order of the recipe, and
// take the place of what these services were still to be told.
func (r *roll) change(moves []*move) {
	r.mu.Lock()
	defer r.mu.Unlock()
	concerns := func(name string) bool {
		return slices.ContainsFunc(moves, func(m *move) bool { return m.service.name == name })
	}
	var later []*move
	for _, m := range moves {
		if at := r.at(m.service); at >= 0 {
			m.witnesses = r.waiting[at].witnesses
			r.waiting = slices.Delete(r.waiting, at, at+1)
		}
		name := m.service.name
		switch awaited := (name == r.current || name == r.failed) && len(m.events) > 0; {
		case awaited:
			r.waiting = slices.Insert(r.waiting, 0, m)
			if name == r.current {
				r.settled()
			}
		case m.restarts():
			later = append(later, m)
		default:
			r.told[name] = m.to
			m.tell()
		}
	}
	if concerns(r.failed) {
		r.failed = ""
	}
	r.waiting = append(r.waiting, later...)
	if len(later) > 1 {
		r.sup.say("%s are restarted one after another, each when the one before it is ready", names(later))
	}
	r.advance()
}

func names(moves []*move) string {
	var all []string
	for _, m := range moves {
		all = append(all, m.service.name)
	}
	return strings.Join(all, ", ")
}

// advance tells whoever is next. mu is held.
func (r *roll) advance() {
	if r.current != "" || r.failed != "" || len(r.waiting) == 0 {
		return
	}
	m := r.waiting[0]
	r.waiting = r.waiting[1:]
	r.told[m.service.name] = m.to
	r.await(m.service, m.service.snapshot().number)
	m.tell()
}

// await has the roll go on when the incarnation of the service after that number is ready. mu is held.
func (r *roll) await(sv *service, before uint64) {
	r.settled()
	ctx, cancel := context.WithCancel(context.Background())
	r.current, r.before, r.cancel = sv.name, before, cancel
	turn := r.turn
	go func() {
		defer cancel()
		ready := r.comesUp(ctx, sv, before)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.turn != turn {
			return
		}
		r.settled()
		if !ready {
			r.stops(sv)
		}
		r.advance()
	}()
}

// settled ends the wait for whoever is waited for. mu is held.
func (r *roll) settled() {
	r.cancel()
	r.current = ""
	r.turn++
}

// stops leaves the rest as they are. mu is held.
func (r *roll) stops(sv *service) {
	if len(r.waiting) == 0 {
		return
	}
	r.failed = sv.name
	r.sup.decide(sv.name, "roll", fmt.Sprintf("it did not become ready with the change, so that %s go on as they are: %s", names(r.waiting), sv.snapshot().machine.Reason))
	for _, m := range r.waiting {
		r.sup.note(m.service.name, "roll", r.waits().Error())
		for _, w := range m.witnesses {
			w.waits(r.waits())
		}
		m.witnesses = nil
	}
}

// comesUp waits for the first incarnation after that number: without end, as long as it may become ready yet. It is false for one that ended before it was ready.
func (r *roll) comesUp(ctx context.Context, sv *service, before uint64) bool {
	running := func(v view) bool { return v.number == before+1 && v.machine.State == supervise.Running }
	ready := func(v view) bool { return running(v) && (v.machine.Healthy || len(v.machine.Config.Probes) == 0) }
	down := func(v view) bool { return v.left || v.machine.State == supervise.Stopped }
	failed := func(v view) bool {
		return v.number > before+1 || v.number == before+1 && !running(v) && v.machine.State != supervise.Starting
	}
	if sv.wait(ctx, func(v view) bool { return ready(v) || down(v) || failed(v) }) != nil {
		return true // it is no more, or nobody waits for it any longer
	}
	v := sv.snapshot()
	if running(v) && len(v.machine.Config.Probes) == 0 {
		ctx, cancel := context.WithTimeout(ctx, r.pause)
		defer cancel()
		_ = sv.wait(ctx, func(v view) bool { return !running(v) })
		v = sv.snapshot()
	}
	return down(v) || !failed(v)
}

// restarted is called before somebody restarts a service. It returns what the service was still to be told, which comes with that, and
// what to call afterwards. A roll that has failed goes on when it is ready.
func (r *roll) restarted(sv *service) (to *definition, after func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	after = func() {}
	at := r.at(sv)
	if at < 0 && sv.name != r.failed && sv.name != r.current {
		return nil, after
	}
	if at >= 0 {
		to, after = r.waiting[at].to, r.waiting[at].ask
		r.told[sv.name] = to
		r.waiting = slices.Delete(r.waiting, at, at+1)
	}
	if sv.name == r.current || r.failed != "" {
		r.failed = ""
		r.await(sv, sv.snapshot().number)
	}
	return to, after
}

// close ends it: everything is being stopped.
func (r *roll) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = nil
	r.settled()
}

// inOrder sorts services so that each comes after those that it is started after, and else as they are declared.
func inOrder(p *plan.Plan) []*plan.Service {
	var sorted []*plan.Service
	var add func(s *plan.Service)
	add = func(s *plan.Service) {
		if s == nil || slices.Contains(sorted, s) {
			return
		}
		for _, name := range s.After { // which is no circle: Validate has seen to that
			add(p.Service(name))
		}
		sorted = append(sorted, s)
	}
	for i := range p.Services {
		add(&p.Services[i])
	}
	return append(sorted, p.Launches()[len(p.Services):]...)
}
