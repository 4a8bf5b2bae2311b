package hook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// grace is what a hook that is told to end has before the process ends under it.
const grace = 10 * time.Second

// ErrStuck is of a hook that cannot be ended: a step waits for what never comes, such as a server of files.
var ErrStuck = errors.New("it did not end in time, and cannot be killed")

// Run carries out the steps in this process, whose children, directory and umask it takes. A hook that does not end within its
// bound is an error. One that is not ended within the grace then is given to stuck as ErrStuck, which should end the process.
func Run(ctx context.Context, p *plan.Plan, h *plan.Hook, env *expr.Env, stuck func(error)) error {
	spec, err := launch.Resolve(p, h.Launched(p), env)
	if err != nil {
		return err
	}
	late := fmt.Errorf("it did not end within %s, and was killed", h.Bound())
	ctx, cancel := context.WithTimeoutCause(ctx, h.Bound().Std(), late)
	defer cancel()
	watch := time.AfterFunc(h.Bound().Std()+grace, func() { stuck(ErrStuck) })
	defer watch.Stop()
	return spec.CarryOut(ctx)
}
