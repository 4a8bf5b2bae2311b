package plan

import "recipe/runtime/expr"

// Use is where a service reads a flag, directly or through another flag's default. Several may hold.
type Use struct {
	Launch   bool // argv, environment, a run step or a requirement: read once, at a start
	Template bool // what a step writes and a running daemon can read again: a template, a copy, where a link leads
	Probe    bool // the probes, which follow a change by themselves
}

// Uses tells how the service depends on each flag that it names; flags that it does not name are absent.
func (s *Service) Uses(p *Plan) map[string]Use {
	uses := map[string]Use{}
	add := func(mark func(*Use), exprs ...expr.Expr) {
		for _, e := range exprs {
			p.eachFlag(e, map[string]bool{}, func(name string) {
				u := uses[name]
				mark(&u)
				uses[name] = u
			})
		}
	}
	launch := func(u *Use) { u.Launch = true }
	template := func(u *Use) { u.Template = true }
	probe := func(u *Use) { u.Probe = true }
	add(launch, s.Command...)
	for _, v := range s.Env {
		add(launch, v.Value)
	}
	add(launch, s.WorkDir)
	for i := range s.Prepare {
		once, again := s.Prepare[i].reads()
		add(launch, once...)
		add(template, again...)
	}
	for _, socket := range s.Listen { // handed over at a start
		add(launch, socket.Port, socket.Path)
	}
	for i := range s.Probes {
		add(probe, s.Probes[i].Expressions()...)
	}
	return uses
}

// reads are the expressions of a step: those that matter at a start alone, and those that are written where a running
// daemon can read them again.
func (s *Step) reads() (once, again []expr.Expr) {
	list := func(exprs ...expr.Expr) []expr.Expr { return exprs }
	switch {
	case s.Directory != nil:
		return list(s.Directory.Path), nil
	case s.Template != nil:
		return list(s.Template.Path), list(s.Template.Text)
	case s.Copy != nil && s.Copy.Once:
		return list(s.Copy.Path, s.Copy.Source), nil
	case s.Copy != nil:
		return list(s.Copy.Path), list(s.Copy.Source)
	case s.Symlink != nil:
		return list(s.Symlink.Path), list(s.Symlink.Target)
	case s.Run != nil:
		return s.Run.Command, nil
	case s.WaitFor != nil:
		return list(s.WaitFor.Port, s.WaitFor.Socket, s.WaitFor.Path), nil
	case s.RequireFile != nil:
		return list(s.RequireFile.Path), nil
	case s.RequireFreeSpace != nil:
		return list(s.RequireFreeSpace.Path, s.RequireFreeSpace.Size), nil
	case s.RequireMemory != nil:
		return list(s.RequireMemory.Size), nil
	case s.RequireMount != nil:
		return list(s.RequireMount.Path), nil
	case s.RequirePortFree != nil:
		return list(s.RequirePortFree.Port), nil
	case s.RequireWritable != nil:
		return list(s.RequireWritable.Path), nil
	}
	return nil, nil
}

// eachFlag calls visit once for every flag that e names, and for those that their defaults name in turn. seen holds
// those that were visited: defaults that name two flags each would double the work with every step otherwise.
func (p *Plan) eachFlag(e expr.Expr, seen map[string]bool, visit func(name string)) {
	e.Walk(func(n expr.Expr) {
		if n.Op != expr.OpFlag || seen[n.Text] {
			return
		}
		seen[n.Text] = true
		visit(n.Text)
		if f := p.Flag(n.Text); f != nil {
			p.eachFlag(f.Default, seen, visit)
		}
	})
}

// tells is what of its probes the daemon is started with: where it says that it is ready or alive, and how often.
func (s *Service) tells() []any {
	told, descriptor := s.Notifies()
	if !told && descriptor == 0 {
		return nil
	}
	return []any{told, descriptor, s.Watchdog()}
}

// LaunchDigest is the digest of what a running daemon was started with, flags' values aside: when it changes the daemon
// must be started anew. Probes that ask it, delays, grace and log bounds are applied to the running one and are not in it.
func (s *Service) LaunchDigest(p *Plan) (string, error) {
	return digest(struct {
		Name     string
		User     *Account
		Command  []expr.Expr
		Env      []Variable
		WorkDir  expr.Expr `json:",omitzero"`
		Umask    *Mode     `json:",omitempty"`
		Prepare  []Step
		Limits   Limits
		Listen   []Socket `json:",omitempty"`
		Terminal bool     `json:",omitempty"`
		Tells    []any    `json:",omitempty"`
	}{s.Name, p.Account(s.User), s.Command, s.Env, s.WorkDir, s.Umask, s.Prepare, s.Limits, s.Listen, s.Terminal, s.tells()})
}

// ProbesDigest is the digest of the probes, by which what was counted of their answers is known to be of these.
func (s *Service) ProbesDigest() (string, error) { return digest(s.Probes) }
