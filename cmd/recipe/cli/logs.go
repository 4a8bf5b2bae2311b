package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"recipe/runtime/control"
	"recipe/runtime/dirs"
	"recipe/runtime/logs"
)

type logsCommand struct {
	Service string `arg:"" help:"The service."`
	Lines   int    `short:"n" default:"100" placeholder:"N" help:"How many of the last lines (${default})."`
	Follow  bool   `short:"f" help:"Go on with what is written from now on, until interrupted."`
}

// Help is the long text of --help.
func (*logsCommand) Help() string {
	return `Reads the log files, so that it works without a supervisor as well; a running one says where they are, otherwise it is /var/log/recipe for root, log in the state folder for others, $RECIPE_LOG_DIR where that is set. Lines are shown as they lie in the files, compressed ones among them.`
}

// Run shows the last lines.
func (c *logsCommand) Run(s *Streams) error {
	ctx, stop := interruptible()
	defer stop()
	if c.Lines < 0 {
		return usagef("cannot show %d lines: give 0 or more", c.Lines)
	}
	dir, unknown, err := c.folder(ctx, s)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(dir, c.Service+".log")); unknown != nil && err != nil {
		return fmt.Errorf("cannot show the log of %q: there is none in %s, and %w", c.Service, dir, unknown)
	}
	if c.Follow {
		return logs.Follow(ctx, dir, c.Service, c.Lines, s.Out)
	}
	return logs.Tail(dir, c.Service, c.Lines, s.Out)
}

// folder is where the service's logs lie. unknown is set when no supervisor has the service.
func (c *logsCommand) folder(ctx context.Context, s *Streams) (dir string, unknown, err error) {
	found, err := survey(ctx, s)
	if err != nil {
		return "", nil, err
	}
	f, err := found.Find(c.Service)
	if err == nil && f.LogDir != "" {
		return f.LogDir, nil, nil
	}
	var e *control.Error
	if errors.As(err, &e) && e.Code == control.Ambiguous {
		return "", nil, err
	}
	d, failed := dirs.Current()
	return d.Logs, err, failed
}
