package process

import (
	"errors"
	"fmt"
	"os"

	"recipe/runtime/plan"
)

// bound is what a controller of a cgroup keeps the whole tree below.
type bound struct {
	what       string
	controller string
	file       string
	text       string
}

// cpuPeriod is the kernel's own, in microseconds: within one a tree gets its share and then waits.
const cpuPeriod = 100_000

func bounds(l *plan.Limits) []bound {
	var all []bound
	if l.Memory > 0 {
		all = append(all, bound{"memory", "memory", "memory.max", fmt.Sprint(int64(l.Memory))})
	}
	if l.CPU > 0 {
		all = append(all, bound{"cpu", "cpu", "cpu.max", fmt.Sprintf("%d %d", l.CPU*cpuPeriod/100, cpuPeriod)})
	}
	if l.PIDs > 0 {
		all = append(all, bound{"pids", "pids", "pids.max", fmt.Sprint(l.PIDs)})
	}
	return all
}

// bound errs where the controller is not there for us. The error does not name the leaf, so that it is the same for every
// incarnation.
func (l leaf) bound(b bound) error {
	file, err := os.OpenFile(l.file(b.file), os.O_WRONLY, 0)
	if err == nil {
		defer file.Close()
		_, err = file.WriteString(b.text)
	}
	var at *os.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("its cgroup has no %s controller", b.controller)
	case errors.As(err, &at):
		return fmt.Errorf("%s of its cgroup cannot be set: %w", b.file, at.Err)
	}
	return err
}
