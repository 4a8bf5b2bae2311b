package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/dirs"
	"recipe/runtime/logs"
)

type logsCommand struct {
	Services []string `arg:"" name:"service" help:"The services; of several, each line is shown behind the name of its own."`
	Lines    *int     `short:"n" placeholder:"N" help:"How many of the last lines of each (100; with --since, all)."`
	Follow   bool     `short:"f" help:"Go on with what is written from now on, until interrupted."`
	Since    string   `placeholder:"WHEN" help:"Begin a time ago (10m) or at a time (2026-01-02T15:04:05Z)."`
	Grep     string   `placeholder:"PATTERN" help:"Show the lines alone that this regular expression (RE2) is found in."`
}

// Help is the long text of --help.
func (*logsCommand) Help() string {
	return `Reads the log files, so that it works without a supervisor as well; a running one says where they are, otherwise it is /var/log/recipe for root, log in the state folder for others, $RECIPE_LOG_DIR where that is set. Lines are shown as they lie in the files, compressed ones among them; on a terminal, what it would obey is escaped.

Lines tell when they were written with logs(timestamps = True) or logs(format = "json"): --since goes by that, and several services are shown in the order of their lines. Of a log without times, --since leaves out the files that were last written to before.

Exit codes: 0 done, or interrupted; 1 there is no log, or it cannot be read; 2 wrong usage.`
}

// Run shows the last lines.
func (c *logsCommand) Run(s *Streams) error {
	query, err := c.query(time.Now())
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	folders, err := c.folders(ctx, s)
	if err != nil {
		return err
	}
	services, out := c.distinct(), outputTo(s.Out)
	if len(services) == 1 && query.Match == nil && query.Since.IsZero() { // byte for byte
		if c.Follow {
			return logs.Follow(ctx, folders[services[0]], services[0], query.Lines, out)
		}
		return logs.Tail(folders[services[0]], services[0], query.Lines, out)
	}
	timeless := map[string]bool{}
	return query.Merge(ctx, folders, services, c.Follow, func(service string, line logs.Line) {
		if !query.Since.IsZero() && line.Time.IsZero() && !timeless[service] {
			timeless[service] = true
			fmt.Fprintf(s.Err, "recipe: lines of %s do not tell their time (logs(timestamps = True) has them do so): those of every file that was written to since then are shown\n", service)
		}
		if len(services) > 1 {
			fmt.Fprintf(out, "%s | %s\n", service, line.Text)
			return
		}
		fmt.Fprintf(out, "%s\n", line.Text)
	})
}

func (c *logsCommand) query(now time.Time) (q logs.Query, err error) {
	q.Lines = 100
	if c.Since != "" {
		q.Lines = -1
		var ok bool
		if q.Since, ok = moment(c.Since, now); !ok {
			return q, usagef("cannot read --since %q: give a time ago (10m), or a time (2026-01-02T15:04:05Z, \"2026-01-02 15:04:05\" or 2026-01-02)", c.Since)
		}
	}
	if c.Lines != nil {
		q.Lines = *c.Lines
		if q.Lines < 0 {
			return q, usagef("cannot show %d lines: give 0 or more", q.Lines)
		}
	}
	if c.Grep != "" {
		if q.Match, err = regexp.Compile(c.Grep); err != nil {
			return q, usagef("cannot read --grep %q: %s; what it means literally is written \\Q...\\E", c.Grep, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
	return q, nil
}

// distinct are the services, each once.
func (c *logsCommand) distinct() (services []string) {
	for _, name := range c.Services {
		if !slices.Contains(services, name) {
			services = append(services, name)
		}
	}
	return services
}

// folders are where the services' logs lie: where their supervisors say, otherwise where they would be.
func (c *logsCommand) folders(ctx context.Context, s *Streams) (map[string]string, error) {
	found, err := survey(ctx, s)
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for _, service := range c.Services {
		if folders[service], err = c.folder(&found, service); err != nil {
			return nil, err
		}
	}
	return folders, nil
}

func (c *logsCommand) folder(found *control.Survey, service string) (string, error) {
	f, unknown := found.Find(service)
	if unknown == nil && f.LogDir != "" {
		return f.LogDir, nil
	}
	var e *control.Error
	if errors.As(unknown, &e) && e.Code == control.Ambiguous {
		return "", unknown
	}
	d, err := dirs.Current()
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(filepath.Join(d.Logs, service+".log")); unknown != nil && err != nil {
		return "", fmt.Errorf("cannot show the log of %q: there is none in %s, and %w", service, d.Logs, unknown)
	}
	return d.Logs, nil
}
