package cli

import (
	"context"
	"fmt"
	"strings"

	"recipe/runtime/control"
)

type whyCommand struct {
	Service string `arg:"" help:"The service."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// Help is the long text of --help.
func (*whyCommand) Help() string {
	return `Shows the last decisions, at most 100 and the oldest first, each with what made the supervisor take it and, below a death, the daemon's last lines; also those of earlier supervisors. Of a task, its last runs follow.

Exit codes: 0 done, 1 the service is unknown or its supervisor does not answer, 2 wrong usage.`
}

// Run prints the decisions, the oldest first.
func (c *whyCommand) Run(s *Streams) error {
	ctx, stop := interruptible()
	defer stop()
	found, err := survey(ctx, s)
	if err != nil {
		return err
	}
	f, err := found.Find(c.Service)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	decisions, err := f.Client.Why(ctx, c.Service)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.Out, struct {
			Decisions []control.Decision `json:"decisions"`
		}{decisions})
	}
	for _, d := range decisions {
		line := fmt.Sprintf("%s  %s: %s", d.Time.Local().Format("2006-01-02 15:04:05.000"), d.What, d.Why)
		if d.Evidence != "" {
			line += " (" + d.Evidence + ")"
		}
		for i, part := range strings.Split(line, "\n") {
			if i > 0 {
				part = "    " + part
			}
			fmt.Fprintln(s.Out, printable(part))
		}
		printWords(s, d.Words)
	}
	if f.Status.Task != nil {
		printRuns(s, &f.Status)
	}
	return nil
}

// printWords shows the last lines of a daemon's or a task's output.
func printWords(s *Streams, words []string) {
	for _, line := range words {
		fmt.Fprintln(s.Out, printable("    "+line))
	}
}

// printRuns shows how a task went, and when it is run next.
func printRuns(s *Streams, st *control.Status) {
	const layout = "2006-01-02 15:04:05"
	for i := range st.Task.Runs {
		r := &st.Task.Runs[i]
		line := fmt.Sprintf("run of %s: ", r.Began.Local().Format(layout))
		switch {
		case r.Ended == nil:
			line += "it is under way"
		case r.OK:
			line += fmt.Sprintf("succeeded after %s: %s", span(r.Ended.Sub(r.Began)), r.Result)
		default:
			line += fmt.Sprintf("failed after %s: %s", span(r.Ended.Sub(r.Began)), r.Result)
		}
		fmt.Fprintln(s.Out, printable(line))
		if r.Ended != nil && !r.OK {
			printWords(s, r.Words)
		}
	}
	if st.NextStart != nil {
		fmt.Fprintln(s.Out, "next run: "+st.NextStart.Local().Format(layout))
	}
}
