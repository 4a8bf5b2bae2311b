package driver

import (
	"context"
	"fmt"
	"strings"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/supervise"
)

// setting is an operator's change of a flags file, for the goroutine that keeps the recipes. witnesses and err are set
// once done is closed.
type setting struct {
	service string
	changes control.Changes
	by      control.Caller
	done    chan struct{}

	answer    control.Changed
	witnesses []*witness
	err       error
}

// witness sees what a change does to one service.
type witness struct {
	sv      *service
	effect  control.Effect
	why     string
	waiter  *waiter
	touched bool       // the change is more than one for the next start
	after   *rewriting // what the effect waits for besides
	failed  error      // why the service does not have the change
}

// Set implements control.Backend: the file is changed at once, and what runs is waited for.
func (s *Supervisor) Set(ctx context.Context, name string, changes control.Changes, caller control.Caller) (control.Changed, error) {
	c := &setting{service: name, changes: changes, by: caller, done: make(chan struct{})}
	select {
	case s.settings <- c:
	case <-s.kept:
		return c.answer, fmt.Errorf("cannot set flags of %s: its supervisor is ending", name)
	case <-ctx.Done():
		return c.answer, ctx.Err()
	}
	<-c.done
	if c.err != nil {
		return c.answer, c.err
	}
	// What an earlier supervisor changed is there already, and comes with the start under this one.
	if sv := s.service(name); sv != nil && sv.task == nil && !caller.Ordered.IsZero() {
		if err := sv.wait(ctx, started); err != nil {
			return c.answer, fmt.Errorf("%s was changed, but its effect on %s was not seen: %w", c.answer.File, name, err)
		}
	}
	for _, w := range c.witnesses {
		if err := w.see(ctx); err != nil {
			return c.answer, fmt.Errorf("%s was changed, but its effect on %s was not seen: %w", c.answer.File, w.sv.name, err)
		}
		c.answer.Effects = append(c.answer.Effects, w.tell())
	}
	return c.answer, nil
}

// set is of the goroutine that keeps the recipes.
func (s *Supervisor) set(ctx context.Context, c *setting) {
	defer close(c.done)
	r := s.recipeOf(c.service)
	if r == nil {
		c.err = s.unknown(c.service)
		return
	}
	root, sets := s.options.Root(r.file, r.plan), s.setsFor(r.file, r.plan)
	file, edits, err := flags.Change(r.plan, root, sets, s.options.Facts, c.changes.Set, c.changes.Unset)
	c.answer = control.Changed{File: file, Flags: []control.FlagChange{}, Effects: []control.FlagEffect{}}
	if err != nil {
		c.err = &control.Error{Code: control.Refused, Message: err.Error(), Hint: "nothing was changed"}
		return
	}
	changed := false
	for _, e := range edits {
		one := flagChange(e, sets)
		c.answer.Flags = append(c.answer.Flags, one)
		if one.Changed {
			changed = true
			s.note(c.service, "set", fmt.Sprintf("flag %s in %s, by %s", one, file, by(c.by)))
		}
	}
	if !changed {
		return
	}
	before, plan := r.env, r.plan
	s.watchFlags(r, file)
	if r.unused {
		s.recipeChanged(ctx, r, false)
	} else {
		r.denied = ""
		s.flagsAgain(r)
	}
	switch {
	case r.plan != plan:
		c.answer.Problem = "the recipe had changed as well, and waited for this: what it changes is under way"
	case r.env == before:
		c.answer.Problem = "what runs goes on as it is"
		if _, err := flags.Resolve(r.plan, root, sets, s.options.Facts); err != nil {
			c.answer.Problem += ": " + err.Error()
		}
	default:
		c.witness(s, r, before)
	}
}

// recipeOf is the one that declares the service.
func (s *Supervisor) recipeOf(service string) *recipe {
	for _, r := range s.recipes {
		if r.plan != nil && r.plan.Launch(service) != nil {
			return r
		}
	}
	return nil
}

// witness has each service that a change goes to tell when it has it. Their mailboxes keep the order: what install has
// told them is taken before, and those whose turn has not come are asked when it does.
func (c *setting) witness(s *Supervisor, r *recipe, before *expr.Env) {
	for _, spec := range r.plan.Launches() {
		sv := s.service(spec.Name)
		if sv == nil {
			continue
		}
		events, later := change(r.plan, r.plan, spec, spec, before, r.env)
		if t := r.plan.Task(spec.Name); t != nil {
			events = forTask(t, events)
		}
		w := &witness{sv: sv, effect: control.NextStart, why: later}
		seen := always
		for _, event := range events {
			switch e := event.(type) {
			case supervise.Restart:
				w.effect, w.why, seen = control.Restarted, e.Why, started
				if sv.task != nil {
					seen = always
				}
			case supervise.Reload:
				w.effect, w.why = control.Signalled, e.Why
			}
		}
		if w.why == "" {
			continue
		}
		w.waiter = newWaiter(seen)
		s.roll.witness(w, len(events) > 0)
		c.witnesses = append(c.witnesses, w)
	}
}

// ask is called once the service has been told of the change.
func (w *witness) ask() {
	w.sv.send(message{waiter: w.waiter, do: func() { w.look(w.touched) }})
}

// waits is called where the service is not told of the change for now.
func (w *witness) waits(why error) {
	w.sv.send(message{waiter: w.waiter, do: func() { w.effect, w.failed = control.Postponed, why }})
}

// look is of the service's goroutine, which has taken the change.
func (w *witness) look(touched bool) {
	m := w.sv.machine
	switch {
	case w.sv.refused != nil:
		w.effect, w.failed = control.Postponed, w.sv.refused
	case touched && (m.State == supervise.Stopped || m.State == supervise.Done):
		w.effect = control.NextStart
	case w.effect == control.Signalled:
		w.after = w.sv.rewritten
	}
}

// see returns once the service has the change, or has been seen not to have it.
func (w *witness) see(ctx context.Context) error {
	if err := w.sv.await(ctx, w.waiter); err != nil {
		return err
	}
	if w.after != nil {
		select {
		case <-w.after.done:
			w.failed = w.after.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if w.after != nil && w.failed != nil {
		w.effect = control.Unsignalled
	}
	return nil
}

func (w *witness) tell() control.FlagEffect {
	e := control.FlagEffect{Effect: w.effect, Why: w.why, Status: w.sv.status()}
	if w.failed != nil {
		e.Problem = w.failed.Error()
	}
	return e
}

// flagChange is an edit as operators read it, without secrets. sets are those of --set.
func flagChange(e flags.Edit, sets []string) control.FlagChange {
	one := control.NewFlagChange(e.Flag.Name, e.Flag.Secret, e.Before, e.After)
	for _, set := range sets {
		if name, _, _ := strings.Cut(set, "="); name == e.Flag.Name {
			one.Note = "the supervisor was started with --set " + name + ", which stands over the file"
		}
	}
	return one
}
