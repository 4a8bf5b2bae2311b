package cli

import "recipe/runtime/control"

type releaseCommand struct{ actionFlags }

// Help is the long text of --help.
func (*releaseCommand) Help() string {
	return `Ends a quarantine. What was wanted before is wanted again: a service is started, one that an operator had stopped stays stopped. One that is in no quarantine is left alone.

Exit codes: 0 all are released and run, or are stopped as they were, 1 one is not, 2 wrong usage.`
}

// Run releases.
func (c *releaseCommand) Run(s *Streams) error {
	return c.act(s, action{"release", (*control.Client).Release, func(st *control.Status) bool {
		return executed(st) || st.State == control.Stopped && st.Stop != nil
	}})
}
