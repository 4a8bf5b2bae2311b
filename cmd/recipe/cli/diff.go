package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"recipe/runtime/pack"
	"recipe/runtime/plan"
)

type diffCommand struct {
	Old      string `arg:"" help:"What is: a recipe, a plan's JSON, a deb, or - for standard input."`
	New      string `arg:"" help:"What would be."`
	ExitCode bool   `help:"Answer 1 where they differ."`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// Help is the long text of --help.
func (*diffCommand) Help() string {
	return `Tells what NEW changes where OLD runs: first what each service goes through, with its changes below it, then what is left. A service

  starts, stops, restarts      as the words say
  is signalled                 templates are written anew, and a signal has it read them
  is changed while it runs     probes, delays, grace and logs are the supervisor's
  waits for its next start     the flag's apply says so
  stays as it is

A changed default of a flag counts as if no host set the flag.

Exit codes: 0 done; 1 it could not be done, or, with --exit-code, they differ; 2 wrong usage.`
}

// difference is the answer as programs read it.
type difference struct {
	Services []plan.Effect `json:"services"`
	Changes  []plan.Change `json:"changes"` // that are of no service
}

// Run compares two plans.
func (c *diffCommand) Run(s *Streams) error {
	if c.Old == "-" && c.New == "-" {
		return usagef("standard input can be read once: give OLD or NEW as a file")
	}
	before, err := anyPlan(s, c.Old)
	if err != nil {
		return err
	}
	after, err := anyPlan(s, c.New)
	if err != nil {
		return err
	}
	d, changed, err := compare(before, after)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s.Out, d)
	} else {
		s.Out.Write([]byte(d.text()))
	}
	if err == nil && changed && c.ExitCode {
		return exit(exitNo)
	}
	return err
}

// anyPlan reads a plan from a package, a plan's JSON or a recipe.
func anyPlan(s *Streams, file string) (*plan.Plan, error) {
	if f, err := os.Open(file); err == nil && file != "-" {
		defer f.Close()
		beginning := make([]byte, 16)
		n, _ := io.ReadFull(f, beginning)
		if pack.IsPackage(beginning[:n]) {
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return nil, fmt.Errorf("cannot read %s: %w", file, err)
			}
			p, err := pack.ReadPlan(f)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			return p, nil
		}
	}
	return evaluate(s, file)
}

func compare(before, after *plan.Plan) (*difference, bool, error) {
	changes, err := plan.Changes(before, after)
	effects, err2 := plan.Effects(before, after)
	if err := errors.Join(err, err2); err != nil {
		return nil, false, err
	}
	d := &difference{Services: effects, Changes: []plan.Change{}}
	for _, c := range changes {
		if c.Belongs() == "" {
			d.Changes = append(d.Changes, c)
		}
	}
	return d, len(changes) > 0, nil
}

func (d *difference) text() string {
	var b bytes.Buffer
	for i := range d.Services {
		e := &d.Services[i]
		fmt.Fprintf(&b, "%s %s", e.Service, outcome(e))
		if e.Why != "" {
			fmt.Fprintf(&b, ": %s", e.Why)
		}
		fmt.Fprintln(&b)
		if e.Action != plan.EffectStop {
			writeChanges(&b, "    ", e.Changes)
		}
	}
	writeChanges(&b, "", d.Changes)
	return b.String()
}

func outcome(e *plan.Effect) string {
	return map[plan.EffectAction]string{
		plan.EffectNone: "stays as it is", plan.EffectNext: "waits for its next start", plan.EffectLive: "is changed while it runs",
		plan.EffectSignal: "is signalled (" + e.Signal + ")", plan.EffectRestart: "restarts", plan.EffectStart: "starts", plan.EffectStop: "stops",
	}[e.Action]
}

func writeChanges(b *bytes.Buffer, indent string, changes []plan.Change) {
	for _, c := range changes {
		fmt.Fprintf(b, "%s%s\n", indent, printable(c.Path))
		if c.Old != "" {
			fmt.Fprintf(b, "%s  - %s\n", indent, printable(c.Old))
		}
		if c.New != "" {
			fmt.Fprintf(b, "%s  + %s\n", indent, printable(c.New))
		}
	}
}
