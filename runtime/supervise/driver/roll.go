package driver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

// roll restarts what a change restarts, one service at a time: each when the one before it is ready with the change, or was
// stopped by somebody. Where one fails, the rest of its recipe go on as they are, until the next change, or until somebody
// restarts it or one of them. Services that do not run, and those that need no restart, do not wait. Its methods may be
// called concurrently.
type roll struct {
	sup   *Supervisor
	pause time.Duration // that one without probes has to run

	mu      sync.Mutex
	told    map[string]*definition // what each service was told last
	waiting []*move                // in the order in which they are told
	current *move                  // whose service is to become ready; nil for none
	failed  map[string]string      // who did not, by recipe
	turns   uint64                 // that were given
	cancel  context.CancelFunc     // of the wait
}

// rollPause is how long a service without probes has to run before the next is touched.
const rollPause = time.Second

func newRoll(s *Supervisor) *roll {
	return &roll{sup: s, pause: rollPause, told: map[string]*definition{}, failed: map[string]string{}, cancel: func() {}}
}

// move is what brings a service to its next definition.
type move struct {
	service *service
	to      *definition // nil where somebody restarts the service, and it is only waited for
	events  []supervise.Event
	turn    uint64 // that comes with the first of them; 0 before

	witnesses []*witness // who wait until it has been told
}

func (m *move) tell() {
	defer m.ask()
	first := message{define: m.to, turn: m.turn}
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

// take removes what a service was still to be told; nil for nothing.
func (r *roll) take(sv *service) *move {
	at := r.at(sv)
	if at < 0 {
		return nil
	}
	m := r.waiting[at]
	r.waiting = slices.Delete(r.waiting, at, at+1)
	return m
}

// awaits reports whether it is this service that is waited for.
func (r *roll) awaits(sv *service) bool { return r.current != nil && r.current.service == sv }

// of is the recipe of a service.
func (r *roll) of(sv *service) string {
	if d := r.told[sv.name]; d != nil {
		return d.plan.Name
	}
	return ""
}

// witness has a service asked once it has been told what it is to be told last.
func (r *roll) witness(w *witness, touched bool) {
	w.touched = touched
	r.mu.Lock()
	defer r.mu.Unlock()
	at, failed := r.at(w.sv), r.failed[r.of(w.sv)]
	switch {
	case at < 0:
		w.ask()
	case failed != "":
		w.waits(waitsFor(failed))
	default:
		r.waiting[at].witnesses = append(r.waiting[at].witnesses, w)
	}
}

// waitsFor is why the others of a recipe are not told for now.
func waitsFor(failed string) error {
	return fmt.Errorf("the change waits, and what runs goes on: %s did not become ready with it; the next change, or `recipe restart` of one of them, goes on with it", failed)
}

// forget leaves out a service that is taken out of its recipe.
func (r *roll) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.told, name)
	maps.DeleteFunc(r.failed, func(_, failed string) bool { return failed == name })
	r.waiting = slices.DeleteFunc(r.waiting, func(m *move) bool { return m.service.name == name })
	if r.current != nil && r.current.service.name == name {
		r.settled()
	}
	r.advance()
}

// change tells the services of one recipe what has changed, at once or in their turn. moves are in the order of the recipe, and
// take the place of what these services were still to be told. Where the recipe's last change has failed, the next goes on.
func (r *roll) change(recipe string, moves []*move, next bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	failed := r.failed[recipe]
	if next {
		delete(r.failed, recipe)
	}
	var later []*move
	for _, m := range moves {
		sv := m.service
		r.compare(m, !next)
		awaited := r.awaits(sv) || sv.name == failed
		if before := r.take(sv); before != nil {
			m.witnesses = before.witnesses
			awaited = awaited || before.to == nil
		}
		switch {
		case awaited && len(m.events) > 0:
			r.waiting = slices.Insert(r.waiting, 0, m)
			if r.awaits(sv) {
				r.settled()
			}
		case m.restarts():
			later = append(later, m)
		default:
			r.told[sv.name] = m.to
			m.tell()
		}
	}
	r.waiting = append(r.waiting, later...)
	if len(later) > 1 {
		r.sup.say("%s are restarted one after another, each when the one before it is ready", names(later))
	}
	r.advance()
	if r.current != nil && r.failed[recipe] == "" {
		r.explain(later)
	}
}

// compare finds what a service has to be told, as it was told last; again leaves out what was said. mu is held, since somebody
// may restart it meanwhile.
func (r *roll) compare(m *move, again bool) {
	last := r.told[m.service.name]
	events, later := change(last.plan, m.to.plan, last.spec, m.to.spec, last.env, m.to.env)
	if m.to.task != nil {
		events = forTask(m.to.task, events)
	}
	if later != "" && !again {
		r.sup.decide(m.service.name, "flags", later+", from the next start on")
	}
	m.events = events
}

// explain tells of each that waits for its turn whom it comes after. mu is held.
func (r *roll) explain(later []*move) {
	before := r.current.service.name
	for _, m := range r.waiting {
		if slices.Contains(later, m) {
			r.sup.note(m.service.name, "roll", fmt.Sprintf("the change waits for its turn, and what runs goes on: this is restarted when %s is ready with it", before))
		}
		before = m.service.name
	}
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
	next := slices.IndexFunc(r.waiting, func(m *move) bool { return r.failed[r.of(m.service)] == "" })
	if r.current != nil || next < 0 {
		return
	}
	m := r.waiting[next]
	r.waiting = slices.Delete(r.waiting, next, next+1)
	if m.to != nil {
		r.told[m.service.name] = m.to
		m.turn = r.give()
		m.tell()
	}
	r.await(m)
}

func (r *roll) give() uint64 {
	r.turns++
	return r.turns
}

// await has the roll go on when a service that has its turn is ready. mu is held.
func (r *roll) await(m *move) {
	ctx, cancel := context.WithCancel(context.Background())
	r.current, r.cancel = m, cancel
	go func() {
		defer cancel()
		ready := r.comesUp(ctx, m.service, m.turn)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.current != m {
			return
		}
		r.settled()
		if !ready {
			r.stops(m.service)
		}
		r.advance()
	}()
}

// settled ends the wait for whoever is waited for. mu is held.
func (r *roll) settled() {
	r.cancel()
	r.current = nil
}

// stops leaves the rest of a recipe as they are. mu is held.
func (r *roll) stops(sv *service) {
	recipe := r.of(sv)
	var rest []*move
	for _, m := range r.waiting {
		if r.of(m.service) == recipe {
			rest = append(rest, m)
		}
	}
	if len(rest) == 0 {
		return
	}
	r.failed[recipe] = sv.name
	r.sup.decide(sv.name, "roll", fmt.Sprintf("it did not become ready with the change, so that %s go on as they are: %s", names(rest), sv.snapshot().machine.Reason))
	why := waitsFor(sv.name)
	for _, m := range rest {
		r.sup.note(m.service.name, "roll", why.Error())
		for _, w := range m.witnesses {
			w.waits(why)
		}
		m.witnesses = nil
	}
}

// restarted is called before somebody restarts a service. It returns what the service was still to be told and its turn, which come
// with that, and what to call afterwards. A roll that has failed goes on when it is ready.
func (r *roll) restarted(sv *service) (to *definition, turn uint64, after func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	recipe := r.of(sv)
	failed := r.failed[recipe]
	before, after := r.take(sv), func() {}
	goesOn := r.awaits(sv) || failed == sv.name || before != nil && (failed != "" || before.to == nil)
	if before != nil && before.to != nil {
		to, after = before.to, before.ask
		r.told[sv.name] = to
	}
	if !goesOn {
		return to, 0, after
	}
	if r.awaits(sv) {
		r.settled()
	}
	delete(r.failed, recipe)
	turn = r.give()
	r.waiting = slices.Insert(r.waiting, 0, &move{service: sv, turn: turn})
	r.advance()
	return to, turn, after
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
