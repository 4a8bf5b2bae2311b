package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/dirs"
)

// patience bounds the wait for an answer that costs a supervisor no work.
const patience = 5 * time.Second

// openHost finds the sockets of this user's supervisors.
func openHost() (*control.Host, error) {
	d, err := dirs.Current()
	if err != nil {
		return nil, err
	}
	return control.Open(d)
}

// survey asks all supervisors and says on stderr which of them did not answer.
func survey(ctx context.Context, s *Streams) (control.Survey, error) {
	host, err := openHost()
	if err != nil {
		return control.Survey{}, err
	}
	found := host.Survey(ctx)
	sayMissing(s, &found)
	return found, nil
}

// sayMissing says who did not answer.
func sayMissing(s *Streams, found *control.Survey) {
	for _, path := range found.Dead {
		fmt.Fprintf(s.Err, "recipe: nobody listens on %s: its supervisor was killed; the next `recipe run` replaces it\n", printable(path))
	}
	for _, err := range found.Failures {
		complain(s.Err, err)
	}
}

// choose gives the named services in that order, or all without names. The error lists every name that is unknown.
func choose(found *control.Survey, names []string) ([]control.Found, error) {
	if len(names) == 0 {
		return found.Services, nil
	}
	var chosen []control.Found
	var errs []error
	for _, name := range names {
		f, err := found.Find(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		chosen = append(chosen, f)
	}
	return chosen, errors.Join(errs...)
}

// surveyed are the named services, or all without names, each with its supervisor. It fails where a name is unknown.
func surveyed(ctx context.Context, s *Streams, names []string) ([]control.Found, error) {
	found, err := survey(ctx, s)
	if err != nil {
		return nil, err
	}
	return choose(&found, names)
}

// interruptible ends with the first INT, TERM or HUP, and gives them back their meaning when stop is called.
func interruptible() (ctx context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
}

// servicesJSON is how verbs print statuses.
type servicesJSON struct {
	Services []control.Status `json:"services"`
}
