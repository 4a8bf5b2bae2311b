package cli

import (
	"errors"
	"fmt"
	"strings"

	"recipe/builtins"
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
	for i := range p.Services {
		s := &p.Services[i]
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

// Judge has a probe judge a reply.
func (testRuntime) Judge(p *plan.Probe, env *expr.Env, reply []byte) error {
	target, err := probe.Resolve(&plan.Plan{}, &plan.Service{}, p, env, nil)
	if err != nil {
		return err
	}
	return target.Judge(reply)
}
