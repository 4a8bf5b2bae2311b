package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"recipe/builtins"
	"recipe/cmd/recipe/complete"
	"recipe/interp"
	"recipe/runtime/control"
	"recipe/runtime/plan"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Help is the long text of --help.
func (*completionCommand) Help() string {
	return `Prints the script by which a shell completes the lines of recipe: verbs, flags, the flags and services of a recipe that the line names, the services that run, words and codes. To load it:

  bash    source <(recipe completion bash)
  zsh     source <(recipe completion zsh)
  fish    recipe completion fish | source`
}

// Run prints the script.
func (c *completionCommand) Run(s *Streams) error {
	script, err := complete.Script(c.Shell)
	if err == nil {
		_, err = s.Out.Write(script)
	}
	return err
}

// completeCommand is what those scripts call.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"The words behind recipe; the last one is being typed."`
}

// Run prints a candidate a line, with its help behind a tab; :files and :folders ask the shell for names of its own.
func (c *completeCommand) Run(s *Streams, app *kong.Application) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	a := complete.Complete(app.Node, words, completionSources())
	for _, candidate := range a.Candidates {
		help, _, _ := strings.Cut(printable(candidate.Help), ". ")
		fmt.Fprintf(s.Out, "%s\t%s\n", printable(candidate.Word), strings.TrimSuffix(help, "."))
	}
	if a.Files {
		fmt.Fprintln(s.Out, ":files")
	}
	if a.Folders {
		fmt.Fprintln(s.Out, ":folders")
	}
	return nil
}

// completionTime bounds what a completion asks of recipes and supervisors: a person waits for it.
const completionTime = 2 * time.Second

func completionSources() map[string]complete.Source {
	files := func(complete.Line) complete.Answer { return complete.Answer{Files: true} }
	folders := func(complete.Line) complete.Answer { return complete.Answer{Folders: true} }
	return map[string]complete.Source{
		"file": files, "old": files, "new": files, "from": files, "path": files, "package": files,
		"root": folders, "out": folders,
		"word": completeWords, "code": completeCodes, "service": completeServices, "set": completeSets,
		"flag=value": completeSets, "unset": completeFlags, "signal": completeSignals,
	}
}

func completeWords(complete.Line) (a complete.Answer) {
	for _, w := range slices.Concat(builtins.Words(), builtins.AllTestWords()) {
		a.Candidates = append(a.Candidates, complete.Candidate{Word: w.Name, Help: w.Doc})
	}
	return a
}

func completeCodes(complete.Line) (a complete.Answer) {
	for _, e := range interp.Explanations() {
		a.Candidates = append(a.Candidates, complete.Candidate{Word: e.Code, Help: e.Reason})
	}
	return a
}

// completeServices gives those, and the tasks, of the recipe that the line names, or those that run.
func completeServices(line complete.Line) (a complete.Answer) {
	if len(line.Given["file"]) > 0 {
		for _, p := range completionPlans(line) {
			for _, l := range p.Launches() {
				a.Candidates = append(a.Candidates, complete.Candidate{Word: l.Name})
			}
		}
		return a
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	host, err := openHost()
	if err != nil {
		return a
	}
	for _, f := range host.Survey(ctx).Services {
		a.Candidates = append(a.Candidates, complete.Candidate{Word: f.Status.Service, Help: string(f.Status.State)})
	}
	return a
}

// completeSets gives the flags of the recipe that the line names, and the values of one that has few.
func completeSets(line complete.Line) (a complete.Answer) {
	name, _, given := strings.Cut(line.Word, "=")
	for _, p := range completionPlans(line) {
		for i := range p.Flags {
			f := &p.Flags[i]
			if !given {
				a.Candidates = append(a.Candidates, complete.Candidate{Word: f.Name + "=", Help: f.Help})
				continue
			}
			if f.Name != name {
				continue
			}
			for _, value := range choices(f) {
				a.Candidates = append(a.Candidates, complete.Candidate{Word: name + "=" + value})
			}
		}
	}
	return a
}

// completeFlags gives the names of the flags of the recipe that the line names.
func completeFlags(line complete.Line) (a complete.Answer) {
	for _, p := range completionPlans(line) {
		for i := range p.Flags {
			a.Candidates = append(a.Candidates, complete.Candidate{Word: p.Flags[i].Name, Help: p.Flags[i].Help})
		}
	}
	return a
}

func completeSignals(complete.Line) (a complete.Answer) {
	for _, name := range control.Signals() {
		a.Candidates = append(a.Candidates, complete.Candidate{Word: name})
	}
	return a
}

func choices(f *plan.Flag) []string {
	if f.Type == plan.FlagBool {
		return []string{"true", "false"}
	}
	return f.Values
}

// completionPlans evaluates the recipes that the line names, as far as they can be; where it names a service alone, it is
// that of its package.
func completionPlans(line complete.Line) (plans []*plan.Plan) {
	if service := line.Given["service"]; len(line.Given["file"]) == 0 && len(service) > 0 {
		if p := installedPlan(service[0]); p != nil {
			plans = append(plans, p)
		}
		return plans
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	e := newEvaluator(1)
	defer e.close()
	for _, file := range line.Given["file"] {
		if file == "-" {
			continue
		}
		if p, _, err := e.plan(ctx, file, nil); err == nil && p != nil {
			plans = append(plans, p)
		}
	}
	return plans
}
