package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"recipe/runtime/control"
	"recipe/runtime/dirs"
	"recipe/runtime/expr"
	"recipe/runtime/handover"
	"recipe/runtime/metrics"
	"recipe/runtime/plan"
	"recipe/runtime/stage"
	"recipe/runtime/supervise/driver"
	"recipe/runtime/systemd"
)

// supervision is what `recipe run` was asked for.
type supervision struct {
	files []string
	sets  []string
	root  string
	dev   bool

	groups  control.Groups
	metrics *metrics.Address // nil for none
	asked   *asked           // nil: nobody listens yet
}

// run supervises until INT, TERM or HUP, and then ends every service; a second of them cuts the grace short. USR2 asks for an
// upgrade. A process that took over from a supervisor goes on where that one was, or becomes it again.
func (v *supervision) run(stdout, stderr io.Writer) error {
	taken, err := handover.Take()
	asked := v.asked
	if asked == nil {
		asked = listen()
	}
	asked.listenTo(taken)
	asked.init = systemd.Take()
	var supervisor *driver.Supervisor
	var end func()
	if err == nil {
		supervisor, end, err = v.prepare(stdout, stderr, asked, taken)
	}
	if err != nil && taken != nil {
		return fmt.Errorf("cannot go on with what a supervisor handed on: %w; nor go back to it: %v", err, taken.Return(err, asked.hold))
	}
	if err != nil {
		return err
	}
	defer end()
	asked.upgrades(supervisor.AskUpgrade)
	return supervisor.Run(asked.ctx, asked.urgent)
}

// prepare makes the supervisor. end is called when it has ended, or is about to become its successor.
func (v *supervision) prepare(stdout, stderr io.Writer, asked *asked, taken *handover.Taken) (s *driver.Supervisor, end func(), err error) {
	folders, err := dirs.Current()
	if err == nil {
		err = folders.Make()
	}
	if err == nil && v.groups != (control.Groups{}) {
		err = folders.Open()
	}
	if err != nil {
		return nil, nil, err
	}
	facts, err := expr.Host()
	if err != nil {
		return nil, nil, err
	}
	messages := newTerminal(stderr)
	functions := newScripts()
	end = func() {
		functions.close()
		messages.close()
	}
	options := driver.Options{
		Scripts: functions.call,
		Groups:  v.groups,
		Sets:    v.sets, Facts: facts, Root: v.rootOf, Load: v.load(messages), Say: messages.say,
		RuntimeDir: folders.Runtime, StateDir: folders.State, LogDir: folders.Logs, Metrics: v.metrics,
		Version: version(), Executable: installed(taken), Ignored: asked.ignored, Hold: asked.hold, Taken: taken, Init: asked.init,
	}
	for _, file := range v.files {
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, nil, fmt.Errorf("cannot find %s: %w", file, err)
		}
		options.Recipes = append(options.Recipes, path)
	}
	if v.dev {
		options.Stage = v.stage(stderr)
	}
	if !discards(stdout) {
		output := newTerminal(stdout)
		options.Tee = output.tee
		rest := end
		end = func() {
			output.close()
			rest()
		}
	}
	end = sync.OnceFunc(end)
	options.Leave = end
	if s, err = driver.New(options); err != nil {
		end()
	}
	return s, end, err
}

// installed is where this program lies, or what replaced it there.
func installed(taken *handover.Taken) string {
	if taken != nil {
		return taken.Executable
	}
	path, err := os.Executable()
	if err != nil {
		return "/proc/self/exe"
	}
	return path
}

// asked is what signals ask of a supervisor. ctx and urgent are ended by the first and the second that asks it to end.
type asked struct {
	ctx, urgent context.Context
	end, hasten context.CancelFunc
	ignored     []int // signals that are nothing to it
	ends        chan os.Signal
	upgrade     chan os.Signal
	init        *systemd.Init // whom the process is started by, if that listens
}

// endsInit are what containers' managers ask PID 1 to end by besides: LXC by PWR, systemd-nspawn by RTMIN+3. Of any other
// process there are none.
func endsInit() []os.Signal {
	if os.Getpid() != 1 {
		return nil
	}
	return []os.Signal{syscall.SIGPWR, syscall.Signal(37)}
}

// listen begins with what nobody can have told a supervisor to ignore. A successor that does not listen yet is ended by TERM.
func listen() *asked {
	a := &asked{ends: make(chan os.Signal, 2), upgrade: make(chan os.Signal, 1)}
	a.ctx, a.end = context.WithCancel(context.Background())
	a.urgent, a.hasten = context.WithCancel(context.Background())
	signal.Notify(a.ends, syscall.SIGTERM)
	for _, s := range endsInit() {
		signal.Notify(a.ends, s)
	}
	signal.Notify(a.upgrade, syscall.SIGUSR2)
	return a
}

// listenTo leaves alone what is ignored: as nohup has it, and a shell for what it puts into the background. A successor is told
// what that was.
func (a *asked) listenTo(taken *handover.Taken) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP} {
		ignored := signal.Ignored(s)
		if taken != nil {
			ignored = slices.Contains(taken.Ignored, int(s))
		}
		if ignored {
			a.ignored = append(a.ignored, int(s))
		} else {
			signal.Notify(a.ends, s)
		}
	}
	// A reader of our output that goes away must not take the services with it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		for range a.ends {
			if a.ctx.Err() != nil {
				a.hasten()
			}
			a.end()
		}
	}()
}

// hold ignores from now on what asks to end, and reports whether it was asked before. The program that this process becomes
// finds the environment as this one found it.
func (a *asked) hold() bool {
	a.init.GiveBack()
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR2)
	for _, s := range endsInit() {
		signal.Ignore(s)
	}
	return len(a.ends) > 0 || a.ctx.Err() != nil
}

func (a *asked) upgrades(ask func(who string)) {
	go func() {
		for range a.upgrade {
			ask("signal USR2")
		}
	}()
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
	f := fileOf(out)
	if f == nil {
		return false
	}
	info, err := f.Stat()
	null, errNull := os.Stat(os.DevNull)
	return err == nil && errNull == nil && os.SameFile(info, null)
}
