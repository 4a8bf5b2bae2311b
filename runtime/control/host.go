package control

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/dirs"
)

// Suffix ends the name of a supervisor's socket.
const Suffix = ".sock"

// SocketPath is where the supervisor of that name listens, in the runtime folder.
func SocketPath(runtime, name string) string { return filepath.Join(runtime, name+Suffix) }

// Host is every supervisor that has a socket in one runtime folder.
type Host struct {
	Clients []*Client // by path
}

// Open lists the sockets of d.Runtime, and those of root's supervisors that let this user in; it does not connect. A
// folder that is not there has none.
func Open(d dirs.Dirs) (*Host, error) {
	if err := d.CheckRuntime(); err != nil {
		return nil, err
	}
	paths, err := sockets(d.Runtime)
	if err != nil {
		return nil, fmt.Errorf("cannot look for supervisors: %w", err)
	}
	if system := d.System(); system != "" {
		more, _ := sockets(system) // closed, as a rule
		paths = append(paths, slices.DeleteFunc(more, func(path string) bool { return unix.Access(path, unix.W_OK) != nil })...)
	}
	h := &Host{}
	for _, path := range paths {
		h.Clients = append(h.Clients, NewClient(path))
	}
	return h, nil
}

func sockets(folder string) (paths []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if entry.Type() == os.ModeSocket && strings.HasSuffix(entry.Name(), Suffix) {
			paths = append(paths, filepath.Join(folder, entry.Name()))
		}
	}
	return paths, nil
}

// Survey is what the supervisors of a host said when all were asked.
type Survey struct {
	Services []Found  // by name
	Dead     []string // sockets that nobody listens on
	Failures []error  // of supervisors that are there and did not answer
}

// Found is a service and the supervisor that has it.
type Found struct {
	Status
	Client *Client `json:"-"`
}

// patience bounds the wait for one supervisor's list, in which it does no work: one that takes longer is stuck.
const patience = 5 * time.Second

// Survey asks all supervisors at once.
func (h *Host) Survey(ctx context.Context) Survey {
	var s Survey
	for answer := range askAll(ctx, h.Clients, &s, (*Client).Status) {
		for _, status := range answer.said {
			s.Services = append(s.Services, Found{status, answer.client})
		}
	}
	slices.SortStableFunc(s.Services, func(a, b Found) int { return strings.Compare(a.Service, b.Service) })
	return s
}

// Told is a supervisor and what it tells of itself.
type Told struct {
	Socket string `json:"socket"`
	Supervisor
}

// Supervisors asks all supervisors at once what they tell of themselves. The Survey has who did not answer, and no services.
func (h *Host) Supervisors(ctx context.Context) (told []Told, s Survey) {
	told = []Told{}
	for answer := range askAll(ctx, h.Clients, &s, (*Client).Supervisor) {
		told = append(told, Told{answer.client.Path, answer.said})
	}
	return told, s
}

type reply[T any] struct {
	client *Client
	said   T
}

// askAll asks at once, gives the answers in the order of clients, and notes in s who gave none.
func askAll[T any](ctx context.Context, clients []*Client, s *Survey, ask func(*Client, context.Context) (T, error)) iter.Seq[reply[T]] {
	said := make([]T, len(clients))
	errs := make([]error, len(clients))
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			said[i], errs[i] = ask(c, ctx)
		})
	}
	all.Wait()
	return func(yield func(reply[T]) bool) {
		for i, c := range clients {
			switch {
			case nobodyListens(errs[i]):
				s.Dead = append(s.Dead, c.Path)
			case errs[i] != nil:
				s.Failures = append(s.Failures, errs[i])
			case !yield(reply[T]{c, said[i]}):
				return
			}
		}
	}
}

// Find gives the one service of that name. Where it is missing, a supervisor that did not answer may have it, and the
// error says so.
func (s *Survey) Find(name string) (Found, error) {
	var found []Found
	var known, paths []string
	for _, f := range s.Services {
		known = append(known, f.Service)
		if f.Service == name {
			found = append(found, f)
			paths = append(paths, f.Client.Path)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Found{}, &Error{Code: Ambiguous, Message: fmt.Sprintf("several supervisors have a service %q: %s", name, strings.Join(paths, ", ")),
			Hint: "end all but one of them"}
	case len(s.Failures) > 0:
		e := Unknown(name, known)
		e.Hint = "a supervisor that did not answer may have it"
		return Found{}, e
	}
	return Found{}, Unknown(name, known)
}

// Find asks all supervisors for the service.
func (h *Host) Find(ctx context.Context, service string) (Found, error) {
	s := h.Survey(ctx)
	return s.Find(service)
}

// Taken is for a supervisor before it begins: it fails, naming the other, if one has a service of these names already.
// The supervisor at own is left out.
func (h *Host) Taken(ctx context.Context, own string, services []string) error {
	others := &Host{Clients: slices.DeleteFunc(slices.Clone(h.Clients), func(c *Client) bool { return c.Path == own })}
	var errs []error
	for _, f := range others.Survey(ctx).Services {
		if slices.Contains(services, f.Service) {
			errs = append(errs, &Error{Code: Refused,
				Message: fmt.Sprintf("the supervisor at %s runs a service %q already", f.Client.Path, f.Service),
				Hint:    "end it first, or give this one another name"})
		}
	}
	return errors.Join(errs...)
}
