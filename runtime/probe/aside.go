package probe

import (
	"context"
	"path/filepath"
	"time"

	"recipe/runtime/errand"
	"recipe/runtime/expr"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// command is one whose exit code is the answer.
type command struct{ spec *launch.Spec }

func resolveExec(p *plan.Plan, s *plan.Service, e *plan.ExecProbe, env *expr.Env) (exchange, error) {
	spec, err := launch.ResolveCommand(p, s, e.Command, env)
	if err != nil {
		return nil, err
	}
	return command{spec}, nil
}

func (p command) name() string { return "exec " + filepath.Base(p.spec.Argv[0]) }

func (p command) run(ctx context.Context, within time.Duration) (string, error) {
	return errand.Run(ctx, p.spec, within)
}

func (p command) replay(g Given, _ time.Duration) error {
	_, err := errand.Ended(p.spec, g.Exit, g.Output)
	return err
}
