package cli

import (
	"context"
	"fmt"
	"sync"

	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/plan"
	"recipe/runtime/probe"
)

type probeCommand struct {
	File    string `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	Service string `placeholder:"NAME" help:"One service alone."`
	JSON    bool   `name:"json" help:"Print JSON."`
	hostFlags
}

// Help is the long text of --help.
func (*probeCommand) Help() string {
	return `Asks the service itself, with the host's flags, as the supervisor would. Each probe runs once, whatever its role, failures and successes. What a daemon says without being asked (notify, log_line) is heard by its supervisor alone, and left out.

Exit codes: 0 every probe got its answer, 1 one did not, or the service has no probes, 2 wrong usage.`
}

// probeJSON is one probe and what came of it.
type probeJSON struct {
	Service  string `json:"service"`
	Probe    string `json:"probe"`
	Healthy  bool   `json:"healthy"`
	Reason   string `json:"reason,omitempty"`
	Evidence string `json:"evidence,omitempty"`

	target *probe.Target
}

// Run performs all probes at once.
func (c *probeCommand) Run(s *Streams) error {
	ctx, stop := interruptible()
	defer stop()
	p, err := evaluate(s, c.File)
	if err != nil {
		return err
	}
	services, err := someServices(p, c.Service)
	if err != nil {
		return err
	}
	resolved, err := on(&c.hostFlags, p, flags.ResolveOpenly)
	if err != nil {
		return err
	}
	scripts := newScripts()
	defer scripts.close()
	results, err := resolveProbes(p, services, resolved.Env, scripts.call)
	if err != nil {
		return err
	}
	runProbes(ctx, results)
	healthy := true
	for i := range results {
		healthy = healthy && results[i].Healthy
	}
	if c.JSON {
		printJSON(s.Out, struct {
			Probes []probeJSON `json:"probes"`
		}{results})
	} else {
		printProbes(s, results)
	}
	if !healthy {
		return exit(exitNo)
	}
	return nil
}

func resolveProbes(p *plan.Plan, services []*plan.Service, env *expr.Env, call probe.Scripts) ([]probeJSON, error) {
	var all []probeJSON
	for _, service := range services {
		asked := service.Asked()
		switch {
		case len(service.Probes) == 0:
			return nil, fmt.Errorf("cannot tell whether %s is healthy: it has no probes", service.Name)
		case len(asked) == 0 && len(services) > 1:
			continue
		case len(asked) == 0:
			return nil, fmt.Errorf("cannot ask whether %s is healthy: it tells its supervisor, which recipe status %s shows", service.Name, service.Name)
		}
		for _, one := range asked {
			target, err := probe.Resolve(p, service, one, env, call)
			if err != nil {
				return nil, fmt.Errorf("cannot probe %s: %w", service.Name, err)
			}
			all = append(all, probeJSON{Service: service.Name, Probe: target.Name(), target: target})
		}
	}
	return all, nil
}

func runProbes(ctx context.Context, all []probeJSON) {
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			evidence, err := all[i].target.Check(ctx)
			if all[i].Healthy = err == nil; err != nil {
				all[i].Reason = err.Error()
			} else {
				all[i].Evidence = evidence
			}
		})
	}
	group.Wait()
}

func printProbes(s *Streams, all []probeJSON) {
	for _, r := range all {
		verdict := "healthy"
		if !r.Healthy {
			verdict = "not healthy: " + r.Reason
		} else if r.Evidence != "" {
			verdict += ": " + r.Evidence
		}
		fmt.Fprintln(s.Out, printable(fmt.Sprintf("%s: %s: %s", r.Service, r.Probe, verdict)))
	}
}
