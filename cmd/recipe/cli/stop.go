package cli

import "recipe/runtime/control"

type stopCommand struct{ actionFlags }

// Help is the long text of --help.
func (*stopCommand) Help() string {
	return `Returns when no process of the service's tree is left. The stop is kept over reboots and upgrades, with who, when and why, until the service is started. One that is in quarantine stays stopped after its release.

Exit codes: 0 all are stopped, 1 one is not (the supervisor goes on), 2 wrong usage.`
}

// Run stops.
func (c *stopCommand) Run(s *Streams) error {
	return c.act(s, action{"stop", (*control.Client).Stop, isDown})
}
