package interp

import (
	"fmt"
	"time"

	"recipe/builtins"
	"recipe/builtins/diag"
)

// The budgets of one evaluation. Steps, modules and sizes are counted by the evaluation itself, in whatever process; what
// one step may take is bounded by the process that it runs in, for which Memory, CPU, Wall and Answer are meant.
const (
	DefaultSteps = 20_000_000 // of Starlark's machine, about a second

	Memory = 512 << 20        // bytes; the tour takes less than 50 MiB
	CPU    = 5 * time.Second  // of the processor: five times what all steps take
	Wall   = 60 * time.Second // by the clock, on a machine that is busy with other things
	Answer = 96 << 20         // bytes of what an evaluation gives: the largest plan, as it travels

	mostSource      = 1 << 20  // bytes of one module, or of one text that is read
	mostPlan        = 64 << 20 // bytes of a plan's JSON
	mostInputs      = 256      // files
	mostNesting     = 1000     // of the tree, whose walks call themselves
	mostDigits      = 1000     // characters: reading a number takes time by the square of its length
	mostDiagnostics = 2500     // of one evaluation; far fewer are shown
	mostMessage     = 4 << 10  // bytes of each part of a diagnostic
	mostLine        = 16 << 10 // bytes of a source line that is shown in part
	mostUndefined   = 100      // names of one module that are reported
)

// Budget is one bound of an evaluation, as SPEC.md lists it.
type Budget struct {
	Name  string // of what is bounded
	Limit string
	Code  string // of the diagnostic that says it is spent; "" where what is beyond is left out, and said
}

// Budgets lists the bounds, those that a recipe meets first at the top.
func Budgets() []Budget {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%d s", d/time.Second) }
	mib := func(n int) string { return fmt.Sprintf("%d MiB", n>>20) }
	return []Budget{
		{"steps, of the recipe and all that it loads together", grouped(DefaultSteps), CodeBudget},
		{"memory", mib(Memory), CodeMemory},
		{"time of the processor", seconds(CPU), CodeTime},
		{"time by the clock", seconds(Wall), CodeTime},
		{"one source, and one text that is read", mib(mostSource), CodeTooLarge},
		{"a plan's JSON, read or made", mib(mostPlan), CodeTooLarge},
		{"files that are loaded or read, modules of the standard library included", grouped(mostInputs), CodeTooLarge},
		{"nesting of expressions and blocks, chains of operators and of elif included", grouped(mostNesting), CodeTooLarge},
		{"digits of a number that is written out", grouped(mostDigits), CodeTooLarge},
		{"items, characters, or bits of a number that one operation makes or looks through", grouped(builtins.MostItems), CodeTooLarge},
		{"mistakes after which an evaluation ends", grouped(builtins.MostMistakes), ""},
		{"diagnostics of a file that are shown", grouped(diag.Most), ""},
		{"notes by print", grouped(builtins.MostNotes), ""},
	}
}

// grouped is a number with commas.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}
