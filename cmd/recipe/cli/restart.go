package cli

import "recipe/runtime/control"

type restartCommand struct{ actionFlags }

// Help is the long text of --help.
func (*restartCommand) Help() string {
	return `Stops the service and returns when its next incarnation was executed. One that an operator stopped is refused: start ends a stop, release a quarantine.

Exit codes: 0 all run anew, 1 one does not (the supervisor goes on trying), 2 wrong usage.`
}

// Run restarts.
func (c *restartCommand) Run(s *Streams) error {
	return c.act(s, action{"restart", (*control.Client).Restart, executed})
}
