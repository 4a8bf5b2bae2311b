package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"recipe/runtime/expr"
)

// EffectAction is what a running service goes through when a plan takes the place of another.
type EffectAction string

// The effects, from none to all. EffectLive changes what surrounds the daemon: its probes, delays, grace and logs.
const (
	EffectNone    EffectAction = "none"
	EffectNext    EffectAction = "next-start"
	EffectLive    EffectAction = "live"
	EffectSignal  EffectAction = "signal"
	EffectRestart EffectAction = "restart"
	EffectStart   EffectAction = "start"
	EffectStop    EffectAction = "stop"
)

// Effect is what one service or task goes through, and the changes behind it. Signal is a name without SIG, for EffectSignal.
type Effect struct {
	Service string       `json:"service"`
	Action  EffectAction `json:"action"`
	Signal  string       `json:"signal,omitempty"`
	Why     string       `json:"why,omitempty"`
	Changes []Change     `json:"changes,omitempty"`
}

// Effects tells, service by service and task by task, what a supervisor that runs before does when it is given after: those of before in
// their order, then the new ones. Flags are taken to have their defaults; a host that sets one does not notice a change
// of its default.
func Effects(before, after *Plan) ([]Effect, error) {
	changes, err := Changes(before, after)
	if err != nil {
		return nil, err
	}
	var effects []Effect
	for _, s := range before.Launches() {
		e := Effect{Service: s.Name, Changes: of(changes, s.Name)}
		if err := e.judge(before, after); err != nil {
			return nil, err
		}
		if t := after.Task(s.Name); t != nil {
			e.onTask(t)
		}
		effects = append(effects, e)
	}
	for _, s := range after.Launches() {
		if before.Launch(s.Name) == nil {
			effects = append(effects, Effect{Service: s.Name, Action: EffectStart, Why: "it is new", Changes: of(changes, s.Name)})
		}
	}
	return effects, nil
}

func of(changes []Change, service string) (some []Change) {
	for _, c := range changes {
		if c.Belongs() == service {
			some = append(some, c)
		}
	}
	return some
}

// judge finds the effect on a service of before.
func (e *Effect) judge(before, after *Plan) error {
	old, spec := before.Launch(e.Service), after.Launch(e.Service)
	if spec == nil {
		e.Action, e.Why = EffectStop, "it is not declared any longer"
		return nil
	}
	a, err := old.LaunchDigest(before)
	if err != nil {
		return err
	}
	b, err := spec.LaunchDigest(after)
	if err != nil {
		return err
	}
	e.Action = EffectNone
	switch {
	case a != b:
		e.Action, e.Why = EffectRestart, "it is started with something else"
		return nil
	case len(e.Changes) > 0:
		e.raise(EffectLive, "", "applied to the running daemon")
	}
	uses := spec.Uses(after)
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		if use := uses[name]; use.Launch || use.Template {
			e.flag(name, before, after)
		}
	}
	return nil
}

// onTask turns what a service would go through into what a task does: it is signalled never, and a periodic one shows what it
// is started with at its next run.
func (e *Effect) onTask(t *Task) {
	switch {
	case e.Action == EffectSignal, e.Action == EffectRestart && t.Every > 0:
		e.Action, e.Signal = EffectNext, ""
		e.Why += ", from the next run on"
	case e.Action == EffectRestart:
		e.Why += ", and is run again"
	}
}

// flag adds the effect of a changed default.
func (e *Effect) flag(name string, before, after *Plan) {
	if sameDefault(name, before, after, map[string]bool{}) {
		return
	}
	now := after.Flag(name)
	why := fmt.Sprintf("the default of flag %q changed", name)
	switch now.Apply.Action {
	case ApplyRestart:
		e.raise(EffectRestart, "", why)
	case ApplySignal:
		e.raise(EffectSignal, now.Apply.Signal, why)
	case ApplyNone:
		e.raise(EffectNext, "", why+", from the next start on")
	}
}

// sameDefault reports whether a flag's default comes to the same in both plans, through the flags that it names. A flag
// that only one of them has is the same: what names it has changed then. seen ends a circle.
func sameDefault(name string, before, after *Plan, seen map[string]bool) bool {
	was, now := before.Flag(name), after.Flag(name)
	if was == nil || now == nil || seen[name] {
		return true
	}
	seen[name] = true
	same := reflect.DeepEqual(was.Default, now.Default)
	now.Default.Walk(func(n expr.Expr) {
		if n.Op == expr.OpFlag {
			same = same && sameDefault(n.Text, before, after, seen)
		}
	})
	return same
}

// raise keeps the greater of two effects.
func (e *Effect) raise(action EffectAction, signal, why string) {
	rank := map[EffectAction]int{EffectNone: 0, EffectNext: 1, EffectLive: 2, EffectSignal: 3, EffectRestart: 4}
	if rank[action] > rank[e.Action] {
		e.Action, e.Signal, e.Why = action, signal, why
	}
}
