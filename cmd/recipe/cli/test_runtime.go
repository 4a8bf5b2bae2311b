package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"recipe/builtins"
	"recipe/interp/script"
	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
	"recipe/runtime/probe"
)

// testRuntime is what stands behind the plan, for tests. It reads nothing of this machine.
type testRuntime struct{}

// Resolve computes flags and services.
func (testRuntime) Resolve(p *plan.Plan, sets []string, facts expr.Facts) (*builtins.Resolved, error) {
	settled, err := flags.Without(p, sets, facts)
	if err != nil {
		return nil, err
	}
	r := &builtins.Resolved{Env: settled.Env, Services: map[string]*builtins.ResolvedService{}}
	var errs []error
	for _, s := range p.Launches() {
		spec, err := launch.Resolve(p, s, settled.Env)
		if err != nil {
			errs = append(errs, fmt.Errorf("service %q: %w", s.Name, err))
			continue
		}
		r.Services[s.Name] = resolvedService(spec)
	}
	return r, errors.Join(errs...)
}

func resolvedService(spec *launch.Spec) *builtins.ResolvedService {
	s := &builtins.ResolvedService{Command: spec.Argv, Env: map[string]string{}, Templates: map[string]string{}}
	for _, v := range spec.Env {
		name, value, _ := strings.Cut(v, "=")
		s.Env[name] = value
	}
	for _, step := range spec.Steps {
		if step.Template != nil {
			s.Templates[step.Template.Path] = step.Template.Text
		}
	}
	return s
}

// Judge has a probe judge what is given in place of the service. A function is called here: this process has nothing, as the
// child of a real probe.
func (testRuntime) Judge(p builtins.Probed, given builtins.Given) error {
	target, err := probe.Resolve(p.Plan, p.Service, p.Probe, p.Env, callHere)
	if err != nil {
		return err
	}
	g := probe.Given{Exit: given.Exit, Output: []byte(given.Output)}
	for _, r := range given.Replies {
		g.Replies = append(g.Replies, probe.Reply(r))
	}
	return target.Judge(g)
}

func callHere(_ context.Context, service string, p *plan.ScriptProbe, serve func(string, []byte) ([]byte, error)) (reason, evidence string, err error) {
	v := script.Run(serve, script.Work{Service: service, Probe: *p})
	return v.Reason, v.Evidence, nil
}
