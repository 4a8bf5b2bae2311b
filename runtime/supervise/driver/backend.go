package driver

import (
	"context"
	"fmt"

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
	v := sv.snapshot()
	m := v.machine
	status := control.Status{
		Service: sv.name, Recipe: v.recipe, State: v.state(), Since: v.since, PID: v.pid, Restarts: m.Restarts,
		Reason: m.Reason, Containment: sv.sup.host.Containment(), Digest: v.digest, Desired: control.Down,
		LogDir: sv.sup.options.LogDir, Stalls: v.stalls, Terminal: sv.screen.Load() != nil, Task: v.task,
	}
	if m.Wanted {
		status.Desired = control.Up
	}
	if m.State == supervise.Waiting {
		due := m.Due
		status.NextStart = &due
	}
	if m.State == supervise.Running && len(m.Config.Probes) > 0 {
		healthy := m.Healthy
		status.Healthy = &healthy
	}
	if !m.Wanted {
		if stop, ok := readStop(sv.sup.options.StateDir, sv.name); ok {
			status.Stop = &stop
		}
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
		if err := removeStop(s.options.StateDir, name); err != nil {
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
	return s.command(ctx, name, func(sv *service) (supervise.Event, func(view) bool, error) {
		stop, err := writeStop(s.options.StateDir, name, caller)
		if err != nil {
			return nil, nil, err
		}
		return supervise.Stop{Why: sentence(stop)}, func(v view) bool { return v.machine.State == supervise.Stopped }, nil
	})
}

// Restart implements control.Backend: it returns once a new incarnation was executed, or failed. A service that an
// admin stopped stays stopped, which is an error.
func (s *Supervisor) Restart(ctx context.Context, name string, caller control.Caller) (control.Status, error) {
	return s.command(ctx, name, func(sv *service) (supervise.Event, func(view) bool, error) {
		v := sv.snapshot()
		if !v.machine.Wanted {
			return nil, nil, &control.Error{Code: control.Refused, Message: fmt.Sprintf("cannot restart %s: %s", name, v.machine.Reason), Hint: "recipe start " + name + " ends that"}
		}
		if sv.task != nil {
			return supervise.Restart{Why: "restarted by " + by(caller)}, atRest, nil
		}
		return supervise.Restart{Why: "restarted by " + by(caller)}, started, nil
	})
}

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

// command sends an event and waits until its effect was seen.
func (s *Supervisor) command(ctx context.Context, name string, prepare func(*service) (supervise.Event, func(view) bool, error)) (control.Status, error) {
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
	w, err := sv.order(prepare)
	if err != nil {
		return control.Status{}, err
	}
	if err := sv.await(ctx, w); err != nil {
		return sv.status(), fmt.Errorf("the order was taken, but its effect was not seen: %w", err)
	}
	return sv.status(), nil
}

// order notes an admin's order and hands it to the service's goroutine, with nobody else's in between. What the waiter
// looks for is looked for once the event has been taken.
func (sv *service) order(prepare func(*service) (supervise.Event, func(view) bool, error)) (*waiter, error) {
	sv.orders.Lock()
	defer sv.orders.Unlock()
	event, seen, err := prepare(sv)
	if err != nil {
		return nil, err
	}
	w := &waiter{seen: seen, done: make(chan struct{})}
	sv.send(message{event: event, waiter: w})
	return w, nil
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
