package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"recipe/runtime/control"
)

type statusCommand struct {
	Services []string `arg:"" optional:"" name:"service" help:"Services to show; all without any."`
	JSON     bool     `name:"json" help:"Print JSON."`
	Watch    bool     `short:"w" xor:"means" help:"Show them anew whenever something changes, until interrupted."`
	Means    bool     `xor:"means" help:"Show by what each supervisor keeps its promises on this host, in place of services."`
}

// Help is the long text of --help.
func (*statusCommand) Help() string {
	return `Asks every supervisor of this user: those with a socket in /run/recipe for root, in $XDG_RUNTIME_DIR/recipe for others, in $RECIPE_RUNTIME_DIR where that is set.

With --means, one line for each promise: what holds a tree together (tree), keeps a second copy from running (never-two), becomes of the daemons when the supervisor is killed (killed), starts the supervisor again (restart), notices that it hangs (hang), adopts orphans (orphans), bounds a whole tree (limits), makes daemons (starts), tells of changed files (files) and takes what daemons write (output). With SERVICE, of the supervisors that have one of them.

Exit codes: without SERVICE or with --means, 0 as soon as every supervisor answered, also when there is none. With SERVICE alone, 0 if each of them does its work (healthy, or running where it has no probes; of a task, its last run succeeded), 1 if one does not or is unknown.`
}

// Run prints one line a service.
func (c *statusCommand) Run(s *Streams) error {
	ctx, stop := interruptible()
	defer stop()
	if c.Means {
		return c.means(ctx, s)
	}
	if c.Watch {
		return c.watch(ctx, s)
	}
	found, err := survey(ctx, s)
	if err != nil {
		return err
	}
	chosen, err := choose(&found, c.Services)
	answer := servicesJSON{Services: []control.Status{}}
	for _, f := range chosen {
		answer.Services = append(answer.Services, f.Status)
	}
	if c.JSON {
		printJSON(s.Out, answer)
	} else {
		s.Out.Write(statusTable(answer.Services, time.Now()))
	}
	switch {
	case err != nil:
		return err
	case len(c.Services) > 0 && !allUp(answer.Services), len(found.Failures) > 0:
		return exit(exitNo)
	case len(answer.Services) == 0:
		fmt.Fprintln(s.Err, "recipe: no supervisor runs a service here")
	}
	return nil
}

func allUp(services []control.Status) bool {
	for i := range services {
		if !services[i].IsUp() {
			return false
		}
	}
	return true
}

// statusTable is one line a service below a heading, or nothing.
func statusTable(services []control.Status, now time.Time) []byte {
	if len(services) == 0 {
		return nil
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	several := slices.ContainsFunc(services, func(st control.Status) bool { return st.File != services[0].File })
	file := func(st *control.Status) string {
		if !several {
			return ""
		}
		return printable(st.File) + "\t"
	}
	heading := &control.Status{File: "FILE"}
	fmt.Fprintln(w, "SERVICE\tSTATE\tFOR\tPID\tRESTARTS\t"+file(heading)+"REASON")
	for i := range services {
		st := &services[i]
		pid := "-"
		if st.PID != 0 {
			pid = strconv.Itoa(st.PID)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s%s\n", printable(st.Service), printable(string(st.State)), span(now.Sub(st.Since)), pid, st.Restarts, file(st), explain(st, now))
	}
	w.Flush()
	return b.Bytes()
}

// lastRun is how the last run of a task ended, and otherwise why it is in its state.
func lastRun(st *control.Status, now time.Time) string {
	last := st.Task.LastRun()
	if last == nil || isDown(st) {
		return st.Reason
	}
	verdict := "succeeded"
	if !last.OK {
		verdict = "failed"
	}
	return fmt.Sprintf("the last run %s %s ago: %s", verdict, span(now.Sub(*last.Ended)), last.Result)
}

// explain is the reason, with the time that is left and who stopped the service.
func explain(st *control.Status, now time.Time) string {
	text, next := st.Reason, "start"
	if st.Task != nil {
		text, next = lastRun(st, now), "run"
	}
	if n := len(st.Words); n > 0 {
		text += ", having said: " + st.Words[n-1]
	}
	if st.Says != "" {
		text += fmt.Sprintf(" (it says: %s)", st.Says)
	}
	if st.NextStart != nil && st.NextStart.After(now) {
		text += fmt.Sprintf(" (next %s in %s)", next, span(st.NextStart.Sub(now)))
	}
	if st.Stop != nil && !strings.Contains(text, "stopped by "+st.Stop.By) {
		text += fmt.Sprintf(" (stopped by %s on %s", st.Stop.By, st.Stop.When.Local().Format("2006-01-02 15:04:05"))
		if st.Stop.Why != "" {
			text += ": " + st.Stop.Why
		}
		text += ")"
	}
	return printable(strings.ReplaceAll(text, "\n", "; "))
}
