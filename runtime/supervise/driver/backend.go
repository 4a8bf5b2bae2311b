package driver

import (
	"context"
	"fmt"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/supervise"
)

// whyLength is how many decisions `why` shows.
const whyLength = 100

// Status implements control.Backend.
func (s *Supervisor) Status(context.Context) []control.Status {
	s.mu.Lock()
	all := s.all()
	s.mu.Unlock()
	list := make([]control.Status, len(all))
	for i, sv := range all {
		list[i] = sv.status()
	}
	return list
}

func (sv *service) status() control.Status {
	v, a := sv.snapshot(), sv.wishes()
	m := v.machine
	status := control.Status{
		Service: sv.name, Recipe: v.recipe, File: v.file, State: a.state(v.state()), Since: v.since, PID: v.pid, Restarts: m.Restarts,
		Reason: m.Reason, Containment: sv.sup.host.Containment(), Digest: v.digest, Desired: control.Down,
		LogDir: sv.sup.options.LogDir, Stalls: v.stalls, Says: v.said, Dropped: v.dropped, Terminal: sv.screen.Load() != nil, Task: v.task,
		Stop: a.stop, Quarantine: a.quarantine,
	}
	if m.Wanted {
		status.Desired = control.Up
	}
	if m.State == supervise.Waiting {
		status.Words = v.words
		due := m.Due
		status.NextStart = &due
	}
	if m.State == supervise.Running && len(m.Config.Probes) > 0 {
		healthy := m.Healthy
		status.Healthy = &healthy
	}
	return status
}

// Why implements control.Backend.
func (s *Supervisor) Why(_ context.Context, name string) ([]control.Decision, error) {
	if s.service(name) == nil {
		return nil, s.unknown(name)
	}
	return s.journal.of(name, whyLength)
}

// Start implements control.Backend: it returns once the daemon was executed, or has failed and waits for its next start;
// for a task, once a run has ended.
func (s *Supervisor) Start(ctx context.Context, name string, caller control.Caller) (control.Status, error) {
	return s.command(ctx, name, func(sv *service) (supervise.Event, func(view) bool, error) {
		if sv.wishes().quarantine != nil {
			return nil, nil, refusal("start", sv)
		}
		if err := sv.wish(stopWish, nil); err != nil {
			return nil, nil, err
		}
		if sv.task != nil {
			return supervise.RunNow{Why: "started by " + by(caller)}, atRest, nil
		}
		return supervise.Start{Why: "started by " + by(caller)}, started, nil
	})
}

// Stop implements control.Backend: it returns when no process of the service is left.
func (s *Supervisor) Stop(ctx context.Context, name string, caller control.Caller) (control.Status, error) {
	return s.keepDown(ctx, name, stopWish, caller)
}

// Quarantine implements control.Backend, as Stop.
func (s *Supervisor) Quarantine(ctx context.Context, name string, caller control.Caller) (control.Status, error) {
	return s.keepDown(ctx, name, quarantineWish, caller)
}

func (s *Supervisor) keepDown(ctx context.Context, name string, w wish, caller control.Caller) (control.Status, error) {
	return s.command(ctx, name, func(sv *service) (supervise.Event, func(view) bool, error) {
		if err := sv.wish(w, &caller); err != nil {
			return nil, nil, err
		}
		if w == quarantineWish {
			s.decide(name, "quarantine", sv.wishes().down())
		}
		return supervise.Stop{Why: sv.wishes().down()}, stopped, nil
	})
}

// Release implements control.Backend: it returns as Start does where the service is wanted again, and otherwise at once.
func (s *Supervisor) Release(ctx context.Context, name string, caller control.Caller) (control.Status, error) {
	return s.command(ctx, name, func(sv *service) (supervise.Event, func(view) bool, error) {
		if a := sv.wishes(); a.quarantine == nil { // it may have been released a moment ago
			if a.down() == "" && sv.task == nil {
				return nil, started, nil
			}
			return nil, always, nil
		}
		if err := sv.wish(quarantineWish, nil); err != nil {
			return nil, nil, err
		}
		s.decide(name, "release", "released by "+by(caller))
		if down := sv.wishes().down(); down != "" {
			return supervise.Stop{Why: down}, stopped, nil
		}
		if sv.task != nil {
			return supervise.Start{Why: "released by " + by(caller)}, always, nil
		}
		return supervise.Start{Why: "released by " + by(caller)}, started, nil
	})
}

// Restart implements control.Backend: it returns once a new incarnation was executed, or failed. A service that an
// admin keeps down stays down, which is an error.
func (s *Supervisor) Restart(ctx context.Context, name string, caller control.Caller) (control.Status, error) {
	after := func() {}
	defer func() { after() }()
	return s.orderly(ctx, name, func(sv *service) (m message, w *waiter, err error) {
		if sv.wishes().down() != "" || sv.leaving.Load() {
			return m, nil, refusal("restart", sv)
		}
		if isSince(sv.snapshot().machine, caller.Ordered) {
			m.waiter = newWaiter(started)
			return m, m.waiter, nil
		}
		m.event = supervise.Restart{Why: "restarted by " + by(caller)}
		m.define, m.turn, after = s.roll.restarted(sv)
		m.waiter = newWaiter(started)
		if sv.task != nil {
			m.waiter = newWaiter(atRest)
		}
		return m, m.waiter, nil
	}, nil)
}

// isSince reports whether a restart that an earlier supervisor took has been seen to: whatever was executed since, or is
// on its way, is another incarnation than what ran then.
func isSince(m supervise.Machine, ordered time.Time) bool {
	return !ordered.IsZero() && (m.Executed.IsZero() || m.Executed.After(ordered))
}

// refusal says who keeps the service down, and how to end that.
func refusal(verb string, sv *service) error {
	a, e := sv.wishes(), &control.Error{Code: control.Refused}
	why := a.down()
	switch {
	case a.quarantine != nil:
		e.Hint = "recipe release " + sv.name + " ends that"
	case a.stop != nil:
		e.Hint = "recipe start " + sv.name + " ends that"
	default:
		why = sv.snapshot().machine.Reason
	}
	e.Message = fmt.Sprintf("cannot %s %s: %s", verb, sv.name, why)
	return e
}

// Signal implements control.Backend: the kernel has taken the signal for the daemon's first process when it returns.
func (s *Supervisor) Signal(ctx context.Context, name, signal string, caller control.Caller) (control.Status, error) {
	if !caller.Ordered.IsZero() {
		return control.Status{}, fmt.Errorf("cannot tell whether %s was sent to %s: the supervisor ended with it; `recipe why %[2]s` may, and it is not sent again", signal, name)
	}
	failed := errGone // where nobody takes it
	return s.orderly(ctx, name, func(sv *service) (message, *waiter, error) {
		w := newWaiter(always)
		return message{waiter: w, do: func() { failed = sv.deliver(signal, caller) }}, w, nil
	}, &failed)
}

// deliver is of the service's goroutine.
func (sv *service) deliver(signal string, caller control.Caller) error {
	m := sv.machine
	if sv.incarnation == nil || m.State != supervise.Running && m.State != supervise.Ending {
		return &control.Error{Code: control.Refused, Message: fmt.Sprintf("cannot send %s to %s: no daemon of it runs: it is %s: %s", signal, sv.name, m.State, m.Reason)}
	}
	if err := sv.incarnation.Signal(signal); err != nil {
		return err
	}
	sv.sup.decide(sv.name, "signal", fmt.Sprintf("%s to process %d by %s", signal, sv.incarnation.PID(), by(caller)))
	return nil
}

func stopped(v view) bool { return v.machine.State == supervise.Stopped }

func always(view) bool { return true }

// started holds, of a service that has taken a start or a restart, once the daemon runs, the start has failed and waits
// for the next, or somebody else stopped it.
func started(v view) bool {
	switch v.machine.State {
	case supervise.Running, supervise.Waiting, supervise.Stopped:
		return true
	}
	return false
}

// atRest holds, of a task that has taken a start or a restart, once the run that it asked for has ended.
func atRest(v view) bool {
	switch v.machine.State {
	case supervise.Waiting, supervise.Done, supervise.Stopped:
		return true
	}
	return false
}

// command sends an event and waits until its effect was seen. prepare may leave the event out.
func (s *Supervisor) command(ctx context.Context, name string, prepare func(*service) (supervise.Event, func(view) bool, error)) (control.Status, error) {
	return s.orderly(ctx, name, func(sv *service) (message, *waiter, error) {
		event, seen, err := prepare(sv)
		w := newWaiter(seen)
		return message{event: event, waiter: w}, w, err
	}, nil)
}

// orderly hands an admin's order to the service's goroutine and waits for its effect. failed, where there is one, is what
// the goroutine could not do.
func (s *Supervisor) orderly(ctx context.Context, name string, prepare func(*service) (message, *waiter, error), failed *error) (control.Status, error) {
	sv := s.service(name)
	if sv == nil {
		return control.Status{}, s.unknown(name)
	}
	s.mu.Lock()
	stopping := s.stopping
	s.mu.Unlock()
	if stopping {
		return control.Status{}, fmt.Errorf("cannot command %s: its supervisor is ending", name)
	}
	if control.HandedOn(ctx) { // it was ordered before the supervisor became this program
		err := sv.wait(ctx, sv.followed)
		return sv.status(), err
	}
	w, err := sv.order(ctx, prepare)
	if err != nil {
		return control.Status{}, err
	}
	if err := sv.await(ctx, w); err != nil {
		return sv.status(), fmt.Errorf("the order was taken, but its effect was not seen: %w", err)
	}
	if failed != nil && *failed != nil {
		return control.Status{}, *failed
	}
	return sv.status(), nil
}

// order notes an admin's order and hands it to the service's goroutine, with nobody else's in between. What the waiter
// looks for is looked for once the event has been taken.
func (sv *service) order(ctx context.Context, prepare func(*service) (message, *waiter, error)) (*waiter, error) {
	sv.sup.gate.RLock()
	defer sv.sup.gate.RUnlock()
	sv.orders.Lock()
	defer sv.orders.Unlock()
	m, w, err := prepare(sv)
	if err != nil {
		return nil, err
	}
	sv.send(m)
	control.HandOn(ctx)
	return w, nil
}

// followed holds, of a service that has taken an order, once the effect can be seen.
func (sv *service) followed(v view) bool {
	if v.task != nil {
		return atRest(v)
	}
	return started(v)
}

func by(c control.Caller) string {
	if c.Why != "" {
		return c.User + ": " + c.Why
	}
	return c.User
}

// unknown names the services that there are.
func (s *Supervisor) unknown(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for known := range s.services {
		names = append(names, known)
	}
	return control.Unknown(name, names)
}

var _ control.Backend = (*Supervisor)(nil)
