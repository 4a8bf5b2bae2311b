package plan

import (
	"slices"
	"strings"
)

// FlagEffects tells what a change of the flag does to each running service and each task of the plan. Flags whose defaults
// name it change with it, but for those that fixed reports to be set on the host. Why names the sockets that move.
func (p *Plan) FlagEffects(flag string, fixed func(name string) bool) []Effect {
	effects := []Effect{}
	changing := p.follow(flag, fixed)
	for _, s := range p.Launches() {
		e := Effect{Service: s.Name, Action: EffectNone}
		uses := s.Uses(p)
		for _, f := range changing {
			switch use, ok := uses[f.Name]; {
			case !ok:
			case use.Launch || use.Template:
				e.raise(f.Apply.effect(), f.Apply.Signal, "")
			case use.Probe:
				e.raise(EffectLive, "", "")
			}
		}
		if t := p.Task(s.Name); t != nil {
			e.onTask(t)
		}
		e.Why = p.moved(s, changing)
		effects = append(effects, e)
	}
	return effects
}

// moved names the service's sockets whose addresses some of the flags decide.
func (p *Plan) moved(s *Service, flags []*Flag) string {
	var names []string
	for _, socket := range s.Listen {
		at := Service{Listen: []Socket{socket}}
		uses := at.Uses(p)
		if slices.ContainsFunc(flags, func(f *Flag) bool { _, ok := uses[f.Name]; return ok }) {
			names = append(names, socket.Name)
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "its socket " + names[0] + " moves"
	}
	return "its sockets " + strings.Join(names, ", ") + " move"
}

// follow gives the flag and all that change with it, in the order of the plan.
func (p *Plan) follow(flag string, fixed func(name string) bool) []*Flag {
	var changing []*Flag
	for i := range p.Flags {
		f := &p.Flags[i]
		if f.Name == flag || !fixed(f.Name) && slices.ContainsFunc(changing, func(from *Flag) bool { return f.Default.Names(from.Name) }) {
			changing = append(changing, f)
		}
	}
	return changing
}

// effect is what a change does to a daemon that it reaches.
func (a Apply) effect() EffectAction {
	switch a.Action {
	case ApplySignal:
		return EffectSignal
	case ApplyNone:
		return EffectNext
	}
	return EffectRestart
}
