package cli

import "errors"

type logsCommand struct {
	Service string `arg:"" help:"The service."`
	Lines   int    `short:"n" default:"100" placeholder:"N" help:"How many of the last lines."`
	Follow  bool   `short:"f" help:"Go on with what is written from now on, until interrupted."`
}

// Run shows the last lines.
func (c *logsCommand) Run(s *Streams) error {
	return errors.New("cannot show logs: this build keeps none")
}
