package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/plan"
)

type setCommand struct {
	Service string   `arg:"" help:"A service of the recipe whose flags are set."`
	Set     []string `arg:"" optional:"" name:"flag=value" sep:"none" help:"What to set; FLAG= returns to the default."`
	Unset   []string `sep:"none" placeholder:"FLAG" help:"Return to the default. May be repeated."`
	Why     string   `placeholder:"TEXT" help:"The reason, for the record: one line."`
	File    string   `placeholder:"FILE" help:"The recipe, where no supervisor has the service; otherwise the plan of its package below /usr/share."`
	Root    string   `placeholder:"DIR" help:"What the recipe is run below, where no supervisor has the service."`
	waitFlags
}

// Help is the long text of --help.
func (*setCommand) Help() string {
	return `Edits the host's flags file, /etc/NAME/flags, in place: comments, order and all else in it stay. A flag that is unknown or a value that it does not take changes nothing. A secret is set by the path of its file, FLAG=@/PATH. A flag may also be given an empty text, but by editing the file alone: FLAG= returns to the default.

Returns when the services that run have the change: restarted, or sent their signal, as the flag's apply says; what is left alone has it from its next start on. Where no supervisor has the service, the file alone is changed.

Exit codes: 0 done, 1 refused, or a service does not run with it, 2 wrong usage.`
}

// Run sets.
func (c *setCommand) Run(s *Streams) error {
	if err := c.check(); err != nil {
		return err
	}
	if len(c.Set)+len(c.Unset) == 0 {
		return usagef("there is nothing to set: give FLAG=VALUE or --unset FLAG; `recipe flags FILE` lists the flags")
	}
	ctx, stop := interruptible()
	defer stop()
	found, err := survey(ctx, s)
	if err != nil {
		return err
	}
	f, err := found.Find(c.Service)
	var e *control.Error
	switch {
	case err == nil:
		return c.ask(ctx, s, f)
	case errors.As(err, &e) && e.Code == control.UnknownService && len(found.Failures) == 0:
		return c.edit(s, err)
	}
	return err
}

// ask has the supervisor do it.
func (c *setCommand) ask(ctx context.Context, s *Streams, f control.Found) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	changed, err := f.Client.Set(ctx, c.Service, control.Changes{Set: c.Set, Unset: c.Unset}, c.Why)
	if err := c.unfinished(f.Client, c.Service, "change of flags", err); err != nil {
		return err
	}
	return c.print(s, changed, "")
}

// edit changes the file of a recipe that no supervisor runs.
func (c *setCommand) edit(s *Streams, unknown error) error {
	p, installed, err := c.plan(s, unknown)
	if err != nil {
		return err
	}
	facts, err := expr.Host()
	if err != nil {
		return err
	}
	below := hostFlags{Root: c.Root}
	root, err := below.root()
	if err != nil {
		return err
	}
	file, edits, err := flags.Change(p, root, nil, facts, c.Set, c.Unset)
	if err != nil {
		return fmt.Errorf("%w; nothing was changed", err)
	}
	changed := control.Changed{File: file, Flags: []control.FlagChange{}, Effects: []control.FlagEffect{}}
	for _, e := range edits {
		changed.Flags = append(changed.Flags, control.NewFlagChange(e.Flag.Name, e.Flag.Secret, e.Before, e.After))
	}
	return c.print(s, changed, whenUnsupervised(c.Service, p, installed))
}

// whenUnsupervised says when a service has the change that no supervisor runs.
func whenUnsupervised(service string, p *plan.Plan, installed bool) string {
	if installed && p.Package != nil && p.Package.Runtime == plan.RuntimeStandalone && p.Package.Style != plan.StyleBare {
		return fmt.Sprintf("the host's init runs %s, not recipe: it has this from its next start on, such as `systemctl restart %[1]s`", service)
	}
	return fmt.Sprintf("no supervisor runs %s: it has this from its next start on", service)
}

// plan is that of --file, or of an installed package.
func (c *setCommand) plan(s *Streams, unknown error) (p *plan.Plan, installed bool, err error) {
	if c.File != "" {
		p, err := evaluate(s, c.File)
		if err == nil && p.Launch(c.Service) == nil {
			var names []string
			for _, l := range p.Launches() {
				names = append(names, l.Name)
			}
			err = fmt.Errorf("%s declares no service %q; it has: %s", c.File, c.Service, strings.Join(names, ", "))
		}
		return p, false, err
	}
	if p := installedPlan(c.Service); p != nil {
		return p, true, nil
	}
	return nil, false, fmt.Errorf("%w; of a recipe that does not run, give --file FILE", unknown)
}

// installedPlan is that of the package that brought the service, or nil.
func installedPlan(service string) *plan.Plan {
	const installed = "/usr/share/*/plan.json"
	files, _ := filepath.Glob(installed)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if p, err := plan.Decode(data); err == nil && p.Launch(service) != nil {
			return p
		}
	}
	return nil
}

// print answers; note is what is said where nothing runs.
func (c *setCommand) print(s *Streams, changed control.Changed, note string) error {
	if c.JSON {
		if err := printJSON(s.Out, changed); err != nil {
			return err
		}
	} else {
		printChanged(s, &changed)
	}
	if note != "" {
		fmt.Fprintln(s.Err, "recipe: "+printable(note))
	}
	if changed.Problem != "" {
		return fmt.Errorf("%s was changed, but %s", changed.File, changed.Problem)
	}
	if slices.ContainsFunc(changed.Effects, func(e control.FlagEffect) bool {
		return e.Problem != "" || e.Effect == control.Restarted && !executed(&e.Status)
	}) {
		return exit(exitNo)
	}
	return nil
}

// effects are the words for them.
var effects = map[control.Effect]string{
	control.Restarted: "restarted", control.Signalled: "was sent its signal", control.NextStart: "has it from its next start on",
	control.Postponed: "waits with the change", control.Unsignalled: "was not sent its signal",
}

func printChanged(s *Streams, changed *control.Changed) {
	fmt.Fprintln(s.Out, printable(changed.File))
	for _, f := range changed.Flags {
		line := "flag " + f.String()
		if f.Note != "" {
			line += " (" + f.Note + ")"
		}
		fmt.Fprintln(s.Out, printable(line))
	}
	for _, e := range changed.Effects {
		line := e.Service + ": " + effects[e.Effect]
		if e.Problem != "" {
			line += ": " + e.Problem
		} else if e.PID != 0 {
			line += fmt.Sprintf(": %s, pid %d", e.State, e.PID)
		} else {
			line += ": " + string(e.State)
		}
		fmt.Fprintln(s.Out, printable(line))
	}
}
