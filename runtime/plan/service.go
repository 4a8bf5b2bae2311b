package plan

import "recipe/runtime/expr"

// Use is where a service reads a flag, directly or through another flag's default. Several may hold.
type Use struct {
	Launch   bool // argv, environment, a run step or a requirement: read once, at a start
	Template bool // a file that a running daemon can read again
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
	for _, step := range s.Prepare {
		switch {
		case step.Directory != nil:
			add(launch, step.Directory.Path)
		case step.Template != nil:
			add(launch, step.Template.Path)
			add(template, step.Template.Text)
		case step.Run != nil:
			add(launch, step.Run.Command...)
		case step.RequireFreeSpace != nil:
			add(launch, step.RequireFreeSpace.Path, step.RequireFreeSpace.Size)
		case step.RequirePortFree != nil:
			add(launch, step.RequirePortFree.Port)
		}
	}
	for _, pr := range s.Probes {
		switch {
		case pr.TCP != nil:
			add(probe, pr.TCP.Port)
		case pr.HTTP != nil:
			add(probe, pr.HTTP.Port)
		}
	}
	return uses
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

// LaunchDigest is the digest of what a running daemon was started with, flags' values aside: when it changes the daemon
// must be started anew. Probes, delays, grace and log bounds are applied to the running one and are not in it.
func (s *Service) LaunchDigest(p *Plan) (string, error) {
	return digest(struct {
		Name    string
		User    *Account
		Command []expr.Expr
		Env     []Variable
		Prepare []Step
		Limits  Limits
	}{s.Name, p.Account(s.User), s.Command, s.Env, s.Prepare, s.Limits})
}
