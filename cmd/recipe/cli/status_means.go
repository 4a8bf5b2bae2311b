package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"recipe/runtime/control"
)

// means shows by what each supervisor keeps its promises; of the named services, those that have one of them.
func (c *statusCommand) means(ctx context.Context, s *Streams) error {
	host, err := openHost()
	if err != nil {
		return err
	}
	if len(c.Services) > 0 {
		found := host.Survey(ctx)
		chosen, err := choose(&found, c.Services)
		if err != nil {
			return errors.Join(append(found.Failures, err)...)
		}
		host.Clients = slices.DeleteFunc(host.Clients, func(client *control.Client) bool {
			return !slices.ContainsFunc(chosen, func(f control.Found) bool { return f.Client == client })
		})
	}
	told, found := host.Supervisors(ctx)
	sayMissing(s, &found)
	if c.JSON {
		printJSON(s.Out, supervisorsJSON{told})
	} else if err := meansTable(s, told); err != nil {
		return err
	}
	if len(found.Failures) > 0 {
		return exit(exitNo)
	}
	return nil
}

// meansTable is one line a promise of each supervisor, which is named by its socket.
func meansTable(s *Streams, told []control.Told) error {
	if len(told) == 0 {
		fmt.Fprintln(s.Err, "recipe: no supervisor runs here")
		return nil
	}
	for i, t := range told {
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		fmt.Fprintf(s.Out, "%s, process %d, of version %s:\n", printable(t.Socket), t.PID, printable(t.Version))
		w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
		for _, mean := range t.Means {
			fmt.Fprintf(w, "%s\t%s\n", printable(mean.Promise), printable(mean.By))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// supervisorsJSON is how status --means prints supervisors.
type supervisorsJSON struct {
	Supervisors []control.Told `json:"supervisors"`
}
