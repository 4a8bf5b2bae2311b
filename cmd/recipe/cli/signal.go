package cli

import (
	"context"

	"recipe/runtime/control"
)

type signalCommand struct {
	Service string `arg:"" help:"The service."`
	Signal  string `arg:"" help:"The signal: HUP, SIGHUP or 1."`
	Why     string `placeholder:"TEXT" help:"The reason, for the record: one line."`
	waitFlags
}

// Help is the long text of --help.
func (*signalCommand) Help() string {
	return `Sends a signal to the daemon's first process, and to no other of its tree. Every signal may be sent. What the daemon does of it is the daemon's business: if it ends, it is started again as after any death; stopped by STOP, it is killed once its probes miss it.

Exit codes: 0 the signal was delivered, 1 no daemon runs, 2 wrong usage.`
}

// Run sends.
func (c *signalCommand) Run(s *Streams) error {
	a := actionFlags{Services: []string{c.Service}, Why: c.Why, waitFlags: c.waitFlags}
	return a.act(s, action{"signal", func(client *control.Client, ctx context.Context, service, why string) (control.Status, error) {
		return client.Signal(ctx, service, c.Signal, why)
	}, func(*control.Status) bool { return true }})
}
