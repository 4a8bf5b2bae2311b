package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/plan"
)

type flagsCommand struct {
	File string `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	JSON bool   `name:"json" help:"Print JSON."`
	hostFlags
}

// Help is the long text of --help.
func (*flagsCommand) Help() string {
	return `Each flag comes with its value, where that is from, what the flag takes, and what a change of it would do to each service and task. A secret is told to be set or not, and is not read.

Exit codes: 0 done, 1 a service cannot be started with these flags, or the recipe is not sound, 2 wrong usage.`
}

// flagsJSON is what --json prints.
type flagsJSON struct {
	File     string     `json:"file"`
	Flags    []flagJSON `json:"flags"`
	Problems []string   `json:"problems,omitempty"`
	Warnings []string   `json:"warnings,omitempty"`
}

// flagJSON has its value as a flags file would; absent where there is none, and of a secret.
type flagJSON struct {
	Name        string        `json:"name"`
	Type        plan.FlagType `json:"type"`
	Value       *string       `json:"value,omitempty"`
	Set         bool          `json:"set"`              // there is a value, also of a secret
	Origin      string        `json:"origin,omitempty"` // default, FILE:LINE, --set or credential
	Accepted    string        `json:"accepted"`
	Unit        string        `json:"unit,omitempty"`
	Help        string        `json:"help,omitempty"`
	Secret      bool          `json:"secret,omitempty"`
	Deprecated  string        `json:"deprecated,omitempty"`
	RenamedFrom []string      `json:"renamed_from,omitempty"`
	Effects     []plan.Effect `json:"effects"` // of a change, service by service
}

// Run lists the flags in the order of the recipe.
func (c *flagsCommand) Run(s *Streams) error {
	p, err := evaluate(s, c.File)
	if err != nil {
		return err
	}
	list, err := on(&c.hostFlags, p, flags.List)
	if err != nil {
		return err
	}
	answer := flagsOf(p, list)
	if c.JSON {
		err = printJSON(s.Out, answer)
	} else {
		printFlags(s.Out, p, &answer)
	}
	for _, warning := range answer.Warnings {
		fmt.Fprintf(s.Err, "recipe: %s\n", printable(warning))
	}
	for _, problem := range answer.Problems {
		fmt.Fprintf(s.Err, "recipe: %s\n", printable(problem))
	}
	if err == nil && len(answer.Problems) > 0 {
		return exit(exitNo)
	}
	return err
}

func flagsOf(p *plan.Plan, list *flags.Listing) flagsJSON {
	answer := flagsJSON{File: list.File, Flags: []flagJSON{}, Warnings: list.Warnings}
	for _, problem := range list.Problems {
		answer.Problems = append(answer.Problems, problem.Error())
	}
	for _, e := range list.Entries {
		f := e.Flag
		one := flagJSON{
			Name: f.Name, Type: f.Type, Set: e.Err == nil, Origin: e.Origin, Accepted: f.Range(), Unit: f.Unit, Help: f.Help, Secret: f.Secret,
			Deprecated: f.Deprecated, RenamedFrom: f.RenamedFrom, Effects: p.FlagEffects(f.Name, list.Fixed),
		}
		if e.Value != nil {
			text := written(*e.Value)
			one.Value = &text
		}
		if e.Err != nil {
			answer.Problems = append(answer.Problems, e.Err.Error())
		}
		answer.Flags = append(answer.Flags, one)
	}
	return answer
}

// written is a value as an operator writes it.
func written(v expr.Value) string {
	if v.Kind == expr.Size && v.Int >= 0 {
		return expr.FormatSize(v.Int)
	}
	return v.String()
}

func printFlags(out io.Writer, p *plan.Plan, answer *flagsJSON) {
	for _, f := range answer.Flags {
		line := f.Name
		switch {
		case f.Secret && f.Set:
			line += " is set"
		case !f.Set:
			line += " is not set"
		default:
			line += "=" + *f.Value
		}
		fmt.Fprintln(out, printable(line+"  ("+cmp.Or(f.Origin, "no value")+")"))
		kind := string(f.Type)
		if f.Secret {
			kind = "secret"
		}
		details := []string{f.Help, kind + ": " + f.Accepted, "a change: " + consequences(p, f.Effects)}
		if f.Deprecated != "" {
			details = append(details, "deprecated: "+f.Deprecated)
		}
		if len(f.RenamedFrom) > 0 {
			details = append(details, "was called: "+strings.Join(f.RenamedFrom, ", "))
		}
		for _, detail := range details {
			if detail != "" {
				fmt.Fprintln(out, "    "+printable(detail))
			}
		}
	}
}

// consequences tells what becomes of each service and task.
func consequences(p *plan.Plan, effects []plan.Effect) string {
	if len(effects) == 0 {
		return "there is no service"
	}
	said := make([]string, len(effects))
	for i, e := range effects {
		said[i] = e.Service + " " + consequence(p.Task(e.Service) != nil, e)
	}
	return strings.Join(said, "; ")
}

func consequence(task bool, e plan.Effect) string {
	switch {
	case task && e.Action == plan.EffectNext:
		return "has it from its next run on"
	case task && e.Action == plan.EffectRestart:
		return "is run again"
	}
	said := map[plan.EffectAction]string{
		plan.EffectNone: "is left alone", plan.EffectLive: "is asked otherwise by its probes", plan.EffectNext: "has it from its next start on",
		plan.EffectSignal: "gets " + e.Signal, plan.EffectRestart: "is restarted",
	}[e.Action]
	if e.Why != "" {
		said += ", and " + e.Why
	}
	return said
}
