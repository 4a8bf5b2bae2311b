package launch

import (
	"context"
	"fmt"
	"os"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// ResolveCommand makes a command concrete that is run as the service is: by its account, in its environment. Steps and
// limits are left out.
func ResolveCommand(p *plan.Plan, s *plan.Service, command []expr.Expr, env *expr.Env) (*Spec, error) {
	like := *s
	like.Command, like.Prepare, like.Limits = command, nil, plan.Limits{}
	return Resolve(p, &like, env)
}

// Ask runs the command, as a run step is, and requires exit 0 within the time. Its output goes to out, which stays the
// caller's. Like Prepare it is for a process of its own.
func (s *Spec) Ask(ctx context.Context, timeout plan.Duration, out *os.File) error {
	if len(s.Argv) == 0 {
		return fmt.Errorf("there is no command")
	}
	if err := settleProcess(); err != nil {
		return err
	}
	id, err := s.lookUp()
	if err != nil {
		return err
	}
	r := Run{Argv: s.Argv, Timeout: timeout}
	return r.run(ctx, id, s.environ(), s.umask(), out, out)
}

// KillBelow kills a process and all that descends from it.
func KillBelow(pid int) { killBelow(pid) }
