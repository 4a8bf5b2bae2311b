package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"recipe/runtime/control"
	"recipe/runtime/dirs"
	"recipe/runtime/expr"
	"recipe/runtime/metrics"
	"recipe/runtime/plan"
	"recipe/runtime/stage"
	"recipe/runtime/supervise/driver"
)

// supervision is what `recipe run` was asked for.
type supervision struct {
	files []string
	sets  []string
	root  string
	dev   bool

	groups  control.Groups
	metrics *metrics.Address // nil for none
}

// run supervises until INT, TERM or HUP, and then ends every service; a second of them cuts the grace short.
func (v *supervision) run(stdout, stderr io.Writer) error {
	ctx, urgent := untilAsked()
	folders, err := dirs.Current()
	if err == nil {
		err = folders.Make()
	}
	if err == nil && v.groups != (control.Groups{}) {
		err = folders.Open()
	}
	if err != nil {
		return err
	}
	facts, err := expr.Host()
	if err != nil {
		return err
	}
	messages := newTerminal(stderr)
	defer messages.close()
	functions := newScripts()
	defer functions.close()
	options := driver.Options{
		Scripts: functions.call,
		Groups:  v.groups,
		Sets:    v.sets, Facts: facts, Root: v.rootOf, Load: v.load(messages), Say: messages.say,
		RuntimeDir: folders.Runtime, StateDir: folders.State, LogDir: folders.Logs, Metrics: v.metrics,
	}
	for _, file := range v.files {
		path, err := filepath.Abs(file)
		if err != nil {
			return fmt.Errorf("cannot find %s: %w", file, err)
		}
		options.Recipes = append(options.Recipes, path)
	}
	if v.dev {
		options.Stage = v.stage(stderr)
	}
	if !discards(stdout) {
		output := newTerminal(stdout)
		defer output.close()
		options.Tee = output.tee
	}
	supervisor, err := driver.New(options)
	if err != nil {
		return err
	}
	return supervisor.Run(ctx, urgent)
}

// untilAsked returns two contexts, ended by the first and the second signal that asks this process to end.
func untilAsked() (ctx, urgent context.Context) {
	ctx, end := context.WithCancel(context.Background())
	urgent, hasten := context.WithCancel(context.Background())
	asked := make(chan os.Signal, 2)
	signal.Notify(asked, syscall.SIGTERM)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup has it, and a shell for what it puts into the background
			signal.Notify(asked, s)
		}
	}
	// A reader of our output that goes away must not take the services with it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		<-asked
		end()
		<-asked
		hasten()
	}()
	return ctx, urgent
}

// rootOf is what goes in front of declared paths: --root, or the recipe's own folder below .recipe with --dev.
func (v *supervision) rootOf(file string, p *plan.Plan) string {
	if v.dev && v.root == "" {
		return filepath.Join(filepath.Dir(file), ".recipe", p.Name)
	}
	return v.root
}

// stage builds and lays out what the recipe's package holds, and does without its accounts.
func (v *supervision) stage(out io.Writer) func(context.Context, string, *plan.Plan) (*plan.Plan, error) {
	return func(ctx context.Context, file string, p *plan.Plan) (*plan.Plan, error) {
		dir := filepath.Dir(file)
		if err := stage.Build(ctx, p, dir, out); err != nil {
			return nil, err
		}
		if err := stage.Contents(p, dir, v.rootOf(file, p)); err != nil {
			return nil, err
		}
		return stage.Unprivileged(p), nil
	}
}

// load evaluates a recipe in a child that ends with it, so that the supervisor never grows by an interpreter.
func (v *supervision) load(messages *terminal) func(context.Context, string) (*plan.Plan, error) {
	return func(ctx context.Context, file string) (*plan.Plan, error) {
		e := newEvaluator(1)
		defer e.close()
		p, list, err := e.plan(ctx, file, nil)
		switch {
		case err != nil:
			return nil, fmt.Errorf("cannot evaluate %s: %w", file, err)
		case p == nil:
			return nil, errors.New(strings.TrimRight(list.String(), "\n"))
		}
		if said := notes(list); len(said) > 0 {
			messages.say(strings.TrimRight(said.String(), "\n"))
		}
		return p, nil
	}
}

// discards reports whether out is /dev/null, so that nothing need be written to it.
func discards(out io.Writer) bool {
	if answers, ok := out.(*answerWriter); ok {
		out = answers.to
	}
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	null, errNull := os.Stat(os.DevNull)
	return err == nil && errNull == nil && os.SameFile(info, null)
}
