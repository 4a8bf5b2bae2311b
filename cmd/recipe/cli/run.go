package cli

import "errors"

type runCommand struct {
	Files []string `arg:"" name:"file" help:"Recipes, plans' JSON, or - for standard input."`
	hostFlags
	Dev  bool   `help:"Try the recipe in its source tree, as whoever calls: run its build steps, stage its contents below .recipe/NAME and run it there."`
	HTTP string `name:"http" placeholder:"ADDR" help:"Serve status over HTTP on ADDR, as in 127.0.0.1:8000."`
}

// Run supervises until it is told to end.
func (c *runCommand) Run(s *Streams) error {
	return errors.New("cannot run: this build has no supervisor")
}
