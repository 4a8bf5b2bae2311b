package cli

import (
	"recipe/builtins/diag"
	"recipe/interp"
)

type checkCommand struct {
	Files []string `arg:"" name:"file" help:"Recipes, plans' JSON, or - for standard input."`
	JSON  bool     `name:"json" help:"Print the diagnostics as JSON on stdout."`
}

// Help is the long text of --help.
func (*checkCommand) Help() string {
	return `Says nothing of a recipe that is sound. Diagnostics go to stderr, each with its place, what was found and what is accepted. Warnings do not fail the check.

Exit codes: 0 all are sound, 1 one of them is not, 2 wrong usage.`
}

// Run evaluates every file, also after one that fails.
func (c *checkCommand) Run(s *Streams) error {
	var all diag.List
	for _, file := range c.Files {
		_, list := interp.Evaluate(file, interp.Options{Stdin: s.In})
		all = append(all, list...)
	}
	if c.JSON {
		s.Out.Write(all.JSON())
	} else {
		printDiagnostics(s, all)
	}
	if all.Failed() {
		return exit(exitNo)
	}
	return nil
}
