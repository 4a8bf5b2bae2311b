package driver

import (
	"context"
	"encoding/json"
	"fmt"

	"recipe/runtime/launch"
	"recipe/runtime/process"
)

// Launch is what a process that was spawned as launcher does: it prepares and becomes the daemon. It never returns.
func Launch() { process.Launch(decode) }

// program is a spec together with the descriptor that must live on in the daemon.
type program struct {
	spec *launch.Spec
	lock int
}

func decode(data []byte, marker string, lock int) (process.Program, error) {
	spec := &launch.Spec{}
	if err := json.Unmarshal(data, spec); err != nil {
		return nil, fmt.Errorf("cannot read the orders: %w", err)
	}
	spec.Extra = append(spec.Extra, marker)
	return program{spec, lock}, nil
}

func (p program) Prepare(ctx context.Context) error { return p.spec.Prepare(ctx) }

func (p program) Become() error { return p.spec.Become(p.lock) }
