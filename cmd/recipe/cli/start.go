package cli

import "recipe/runtime/control"

type startCommand struct{ actionFlags }

// Help is the long text of --help.
func (*startCommand) Help() string {
	return `Ends a stop, also one from before a reboot, and returns when the daemon was executed, or when it cannot be for now. A delay before its next start is cut short. A service that runs is left alone; one in quarantine is refused, with who put it there, when and why: release ends that.

A task is run at once, and the answer comes when that run has ended; one that is under way already is waited for. Give a long one its time with --timeout.

Exit codes: 0 all run, and the runs of tasks succeeded, 1 one does not (the supervisor goes on trying), 2 wrong usage.`
}

// Run starts.
func (c *startCommand) Run(s *Streams) error {
	return c.act(s, action{"start", (*control.Client).Start, executed})
}
