package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"recipe/runtime/flags"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

type execCommand struct {
	File    string `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	Service string `placeholder:"NAME" help:"The service or task, where the recipe has several."`
	hostFlags
}

// Help is the long text of --help.
func (*execCommand) Help() string {
	return `Becomes the daemon, in the foreground, with the same pid. Where it cannot, it says why on stdout, waits, so that whoever restarts it in a loop does not spin, and exits with 100. $RECIPE_PAUSE is the wait in seconds (5).

Exit codes: the daemon's; 2 wrong usage; 100 the service cannot be started here, or the recipe is not sound.`
}

// Run returns only when the daemon cannot be started.
func (c *execCommand) Run(s *Streams) error {
	spec, name, err := c.spec(s)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return err
	case err != nil:
		return exit(launch.Insane(context.Background(), s.Out, name, err, launch.Pause()))
	}
	ctx, stop := untilEnded()
	defer stop()
	return exit(launch.Exec(ctx, spec, launch.Pause()))
}

// untilEnded is a context that the first INT, TERM or HUP ends, with a cause that tells a reader which. Until the daemon is
// there a signal is for us: what a run step has started dies by nobody else.
func untilEnded() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup has it
			signal.Notify(asked, s)
		}
	}
	go func() {
		cancel(fmt.Errorf("it was told to end by %s", unix.SignalName((<-asked).(syscall.Signal))))
	}()
	return ctx, func() { signal.Stop(asked) }
}

// spec resolves the service for this host, and gives its name, or the file's before the service is known.
func (c *execCommand) spec(s *Streams) (*launch.Spec, string, error) {
	name := strings.TrimSuffix(filepath.Base(c.File), ".star")
	if c.File == "-" {
		name = "recipe"
	}
	p, err := evaluate(s, c.File)
	if err != nil {
		return nil, name, errors.New("the recipe is not sound; `recipe check` says why")
	}
	service, err := oneLaunch(p, c.Service)
	if err != nil {
		return nil, p.Name, err
	}
	resolved, err := on(&c.hostFlags, p, flags.Resolve)
	if err != nil {
		return nil, service.Name, err
	}
	launch.Warn(s.Err, service.Name, resolved.Warnings)
	spec, err := launch.Resolve(p, service, resolved.Env)
	if err == nil {
		leaveTerminal(spec, service)
	}
	return spec, service.Name, err
}

// leaveTerminal has a service that is left the caller's terminal know of which kind that is.
func leaveTerminal(spec *launch.Spec, service *plan.Service) {
	kind := os.Getenv("TERM")
	own := slices.ContainsFunc(service.Env, func(v plan.Variable) bool { return v.Name == "TERM" })
	if !service.Terminal || own || kind == "" || !isTerminal(os.Stdout) {
		return
	}
	for i, v := range spec.Env {
		if strings.HasPrefix(v, "TERM=") {
			spec.Env[i] = "TERM=" + kind
		}
	}
}
