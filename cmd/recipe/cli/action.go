package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"recipe/runtime/control"
)

// actionFlags are those of start, stop and release.
type actionFlags struct {
	Services []string `arg:"" name:"service" help:"The services."`
	Why      string   `placeholder:"TEXT" help:"The reason, for the record: one line."`
	waitFlags
}

// waitFlags are those of every command to a supervisor.
type waitFlags struct {
	Timeout time.Duration `default:"1m" help:"How long to wait for the effect (${default})."`
	JSON    bool          `name:"json" help:"Print JSON."`
}

func (w *waitFlags) check() error {
	if w.Timeout <= 0 {
		return usagef("cannot wait %s for the effect: give a time such as --timeout 1m", w.Timeout)
	}
	return nil
}

// most requests under way at once; supervisors bound their connections.
const mostActions = 16

// action is a verb and the request that it makes of a supervisor.
type action struct {
	verb string
	do   func(c *control.Client, ctx context.Context, service, why string) (control.Status, error)
	done func(*control.Status) bool // what the answer must show
}

// act asks for the same of all services at once, waits for the effects, and prints a line a service in their order. No
// service is touched when one of the names is unknown.
func (a *actionFlags) act(s *Streams, what action) error {
	if err := a.check(); err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	chosen, err := surveyed(ctx, s, a.Services)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	statuses := make([]control.Status, len(chosen))
	errs := make([]error, len(chosen))
	slots := make(chan struct{}, mostActions)
	var all sync.WaitGroup
	for i, f := range chosen {
		slots <- struct{}{}
		all.Go(func() {
			statuses[i], errs[i] = what.do(f.Client, ctx, f.Service, a.Why)
			errs[i] = a.unfinished(f.Client, f.Service, what.verb, errs[i])
			<-slots
		})
	}
	all.Wait()
	answer := servicesJSON{Services: []control.Status{}}
	for i := range chosen {
		if errs[i] != nil {
			continue
		}
		answer.Services = append(answer.Services, statuses[i])
		if !what.done(&statuses[i]) {
			errs[i] = exit(exitNo)
		}
	}
	if a.JSON {
		printJSON(s.Out, answer)
	} else {
		printEffects(s, answer.Services)
	}
	return joinExits(errs)
}

// joinExits leaves codes without words out beside errors that have some.
func joinExits(errs []error) error {
	var said []error
	var code error
	for _, err := range errs {
		if e := exit(0); errors.As(err, &e) {
			code = e
		} else if err != nil {
			said = append(said, err)
		}
	}
	if len(said) > 0 {
		return errors.Join(said...)
	}
	return code
}

func printEffects(s *Streams, services []control.Status) {
	for i := range services {
		st := &services[i]
		line := fmt.Sprintf("%s: %s", st.Service, st.State)
		if st.PID != 0 {
			line += fmt.Sprintf(", pid %d", st.PID)
		}
		if st.Reason != "" {
			line += ": " + explain(st, time.Now())
		}
		fmt.Fprintln(s.Out, printable(line))
	}
}

// isDown reports whether nothing of a service is left, nor will be started of itself.
func isDown(st *control.Status) bool {
	return st.State == control.Stopped || st.State == control.Quarantined
}

// executed reports whether a daemon is there, or whether the run of a task succeeded.
func executed(st *control.Status) bool {
	if st.Task != nil {
		return st.IsUp()
	}
	return st.State == control.Running || st.State == control.Healthy || st.State == control.Unhealthy
}

// unfinished says of a wait that ended early where the service stands.
func (w *waitFlags) unfinished(client *control.Client, service, verb string, err error) error {
	var after string
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		after = fmt.Sprintf("within %s", w.Timeout)
	case errors.Is(err, context.Canceled):
		after = "before the interrupt"
	default:
		return err
	}
	where := "it does not answer"
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if services, err := client.Status(ctx); err == nil {
		for i := range services {
			if services[i].Service == service {
				where = fmt.Sprintf("it is %s: %s", services[i].State, explain(&services[i], time.Now()))
			}
		}
	}
	return fmt.Errorf("the %s of %s was not done %s; the supervisor goes on with it; %s", verb, service, after, where)
}
