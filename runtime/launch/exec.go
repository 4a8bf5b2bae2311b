package launch

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// Exec prepares and becomes the daemon. The context should end with the signals that stop us, since a run step has a
// session of its own, which only we can end. It returns only when that cannot be: the reason is on stdout by then, the pause
// is over, and the result is the exit code.
func Exec(ctx context.Context, s *Spec, pause time.Duration) int {
	s.passOn()
	sockets, err := s.handed()
	if err == nil {
		err = s.Prepare(ctx)
	}
	if err == nil {
		signal.Reset() // one that comes after this ends us; one that came before has ended the context
		err = context.Cause(ctx)
	}
	if err == nil {
		err = s.Become(sockets)
	}
	return Insane(ctx, os.Stdout, s.Service, err, pause)
}

// Insane says why a service cannot be started, waits, so that whoever restarts us in a loop does not spin, and returns
// ExitInsane. A cancelled context cuts the wait short.
func Insane(ctx context.Context, out io.Writer, service string, err error, pause time.Duration) int {
	fmt.Fprintf(out, "run-%s: cannot start %s: %s\n", service, service, OneLine(err))
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
	return ExitInsane
}

// Warn says what an operator should change on this host, though the service starts.
func Warn(out io.Writer, service string, warnings []string) {
	for _, warning := range warnings {
		fmt.Fprintf(out, "run-%s: %s\n", service, warning)
	}
}

// OneLine is the error's text with its problems on one line.
func OneLine(err error) string {
	return strings.ReplaceAll(strings.TrimRight(err.Error(), "\n"), "\n", "; ")
}

// DefaultPause is how long a launcher waits before it exits with ExitInsane.
const DefaultPause = 5 * time.Second

// Pause is $RECIPE_PAUSE, in seconds with decimals, or DefaultPause.
func Pause() time.Duration {
	seconds, err := strconv.ParseFloat(os.Getenv("RECIPE_PAUSE"), 64)
	if err != nil || !(seconds >= 0 && seconds <= 86_400) {
		return DefaultPause
	}
	return time.Duration(seconds * float64(time.Second))
}
