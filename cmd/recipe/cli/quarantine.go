package cli

import "recipe/runtime/control"

type quarantineCommand struct {
	Services []string `arg:"" name:"service" help:"The services."`
	Why      string   `required:"" placeholder:"TEXT" help:"The reason, for whoever finds it down: one line."`
	waitFlags
}

// Help is the long text of --help.
func (*quarantineCommand) Help() string {
	return `Stops the service and keeps it down: also start and restart are refused, with who, when and why, and no reboot, upgrade or change of the recipe starts it. Returns when no process of its tree is left. release ends it.

Exit codes: 0 all are down, 1 one is not (the supervisor goes on), 2 wrong usage.`
}

// Run puts into quarantine.
func (c *quarantineCommand) Run(s *Streams) error {
	a := actionFlags{Services: c.Services, Why: c.Why, waitFlags: c.waitFlags}
	return a.act(s, action{"quarantine", (*control.Client).Quarantine, isDown})
}
