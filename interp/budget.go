package interp

import (
	"time"
)

// The budgets of one evaluation. Steps, modules and sizes are counted by the evaluation itself, in whatever process; what
// one step may take is bounded by the process that it runs in, for which Memory, CPU and Wall are meant.
const (
	DefaultSteps = 20_000_000 // of Starlark's machine, about a second
	mostSource   = 1 << 20    // bytes of one module
	mostPlan     = 64 << 20   // bytes of a plan's JSON
	mostModules  = 256

	Memory = 512 << 20        // bytes; the tour takes less than 50 MiB
	CPU    = 10 * time.Second // of the processor: ten times what all steps take
	Wall   = 60 * time.Second // by the clock, on a machine that is busy with other things
	Answer = 96 << 20         // bytes of what an evaluation gives: the largest plan, as it travels
)
