package cli

import (
	"context"
	"errors"
	"fmt"

	"recipe/runtime/control"
)

type restartCommand struct {
	Services []string `arg:"" optional:"" name:"service" help:"The services."`
	Why      string   `placeholder:"TEXT" help:"The reason, for the record: one line."`
	waitFlags
	Supervisor bool `help:"Upgrade the supervisors in place, instead: each becomes the program that is installed now, and the services run on."`
}

// Help is the long text of --help.
func (*restartCommand) Help() string {
	return `Stops the service and returns when its next incarnation was executed. One that an operator stopped is refused: start ends a stop, release a quarantine.

With --supervisor no service is touched: the supervisor of each named service, or every one without names, becomes the program that is installed now, in the same process and with everything that it holds. That program is tried first, and one that cannot take over changes nothing.

Exit codes: 0 all run anew, 1 one does not (the supervisor goes on trying), 2 wrong usage.`
}

// Run restarts.
func (c *restartCommand) Run(s *Streams) error {
	if c.Supervisor {
		return c.upgrade(s)
	}
	if len(c.Services) == 0 {
		return usagef("expected \"<service> ...\"; see `recipe restart --help`")
	}
	return (&actionFlags{c.Services, c.Why, c.waitFlags}).act(s, action{"restart", (*control.Client).Restart, executed})
}

// upgradedJSON is one supervisor that has become another program.
type upgradedJSON struct {
	Socket string `json:"socket"`
	control.Upgraded
}

// upgrade asks one supervisor after another.
func (c *restartCommand) upgrade(s *Streams) error {
	if err := c.check(); err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	chosen, err := surveyed(ctx, s, c.Services)
	if err != nil {
		return err
	}
	var errs []error
	done := []upgradedJSON{}
	asked := map[string]bool{}
	for _, f := range chosen {
		if asked[f.Client.Path] {
			continue
		}
		asked[f.Client.Path] = true
		patient, cancel := context.WithTimeout(ctx, c.Timeout)
		u, err := f.Client.Upgrade(patient, c.Why)
		cancel()
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot upgrade the supervisor at %s: %w", f.Client.Path, err))
			continue
		}
		done = append(done, upgradedJSON{f.Client.Path, u})
		if !c.JSON {
			fmt.Fprintln(s.Out, printable(fmt.Sprintf("%s: %s, pid %d", f.Client.Path, u.Version, u.PID)))
		}
	}
	if c.JSON {
		printJSON(s.Out, struct {
			Supervisors []upgradedJSON `json:"supervisors"`
		}{done})
	}
	return errors.Join(errs...)
}
