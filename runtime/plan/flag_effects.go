package plan

import "slices"

// FlagEffects tells what a change of the flag does to each running service of the plan. Flags whose defaults name it
// change with it, but for those that fixed reports to be set on the host.
func (p *Plan) FlagEffects(flag string, fixed func(name string) bool) []Effect {
	effects := []Effect{}
	changing := p.follow(flag, fixed)
	for i := range p.Services {
		s := &p.Services[i]
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
		effects = append(effects, e)
	}
	return effects
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
