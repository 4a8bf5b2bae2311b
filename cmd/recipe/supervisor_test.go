package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"recipe/runtime/control"
	"recipe/runtime/dirs"
)

// pretender is a supervisor that runs nothing: its services are in the state that they are told to be in. The service
// "slow" never stops, "broken" never starts.
type pretender struct {
	mu       sync.Mutex
	services []control.Status
	later    []control.Event // behind those that it always has
}

// startSupervisor serves services until the script ends: supervisor NAME SERVICE=STATE...
func startSupervisor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: supervisor NAME SERVICE=STATE...")
	}
	p := &pretender{}
	for i, arg := range args[1:] {
		name, state, _ := strings.Cut(arg, "=")
		p.services = append(p.services, control.Status{Service: name, Recipe: args[0], PID: 100 + i, Since: time.Now().Add(-90 * time.Second),
			State: control.State(state), Desired: control.Up, Reason: "because", LogDir: ts.MkAbs("elsewhere")})
	}
	folder := ts.Getenv("RECIPE_RUNTIME_DIR")
	ts.Check(os.MkdirAll(folder, 0o700))
	l, err := control.Listen(context.Background(), control.SocketPath(folder, args[0]), control.Groups{})
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx, p) }()
	ts.Defer(func() {
		cancel()
		<-ended
	})
}

// await waits until a service is in a state: await SERVICE=STATE.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await SERVICE=STATE")
	}
	name, state, _ := strings.Cut(args[0], "=")
	host, err := control.Open(dirs.Dirs{Runtime: ts.Getenv("RECIPE_RUNTIME_DIR")})
	ts.Check(err)
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		found, err := host.Find(context.Background(), name)
		if err == nil && string(found.State) == state {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s is not %s within a minute: %s, %v", name, state, found.State, err)
		}
	}
}

// leaveStale makes a socket that nobody listens on: stale PATH.
func leaveStale(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stale PATH")
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: ts.MkAbs(args[0])})
	ts.Check(err)
	l.SetUnlinkOnClose(false)
	ts.Check(l.Close())
}

func (p *pretender) Status(context.Context) []control.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]control.Status(nil), p.services...)
}

func (p *pretender) Supervisor(context.Context) control.Supervisor {
	return control.Supervisor{PID: 99, Version: "1", Since: time.Unix(1e9, 0).UTC(), Means: []control.Mean{{Promise: "tree", By: "nothing:\x1b it pretends"}, {Promise: "never-two", By: "luck"}}}
}

// change sets a service's state and returns it.
func (p *pretender) change(name string, change func(*control.Status)) (control.Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var known []string
	for i := range p.services {
		if p.services[i].Service == name {
			change(&p.services[i])
			return p.services[i], nil
		}
		known = append(known, p.services[i].Service)
	}
	return control.Status{}, control.Unknown(name, known)
}

func (p *pretender) Why(_ context.Context, name string) ([]control.Decision, error) {
	_, err := p.change(name, func(*control.Status) {})
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	return []control.Decision{
		{Time: at, Service: name, What: "started", Why: "the supervisor began"},
		{Time: at.Add(time.Second), Service: name, What: "killed", Why: "3 probes in a row failed", Evidence: "no answer\x1b[2J within 2s"},
	}, err
}

func (p *pretender) Start(_ context.Context, name string, by control.Caller) (control.Status, error) {
	if err := p.quarantined(name, "start"); err != nil {
		return control.Status{}, err
	}
	return p.change(name, func(s *control.Status) {
		if name == "broken" {
			s.State, s.PID, s.Reason = control.Waiting, 0, "no port is free"
			return
		}
		s.State, s.Desired, s.Stop, s.Reason = control.Running, control.Up, nil, "started by an operator"
	})
}

func (p *pretender) Stop(ctx context.Context, name string, by control.Caller) (control.Status, error) {
	if name == "slow" {
		p.change(name, func(s *control.Status) { s.State, s.Reason = control.Stopping, "it ignores TERM" })
		<-ctx.Done()
		return control.Status{}, errors.New("the client is gone")
	}
	return p.change(name, func(s *control.Status) {
		s.State, s.PID, s.Desired, s.Reason = control.Stopped, 0, control.Down, "stopped by an operator"
		s.Stop = &control.AdminStop{By: by.User, When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Why: by.Why}
	})
}

func (p *pretender) Attach(_ context.Context, name string, _ control.Caller, _ control.Attach) (control.Attachment, error) {
	return nil, &control.Error{Code: control.Refused, Message: name + " has no terminal"}
}

func (p *pretender) Restart(ctx context.Context, name string, by control.Caller) (control.Status, error) {
	return p.change(name, func(s *control.Status) { s.State, s.PID = control.Running, s.PID+1000 })
}

// quarantined refuses what a quarantine refuses.
func (p *pretender) quarantined(name, verb string) error {
	s, err := p.change(name, func(*control.Status) {})
	if err == nil && s.Quarantine != nil {
		err = &control.Error{Code: control.Refused, Message: "cannot " + verb + " " + name + ": " + s.Reason, Hint: "recipe release " + name + " ends that"}
	}
	return err
}

func (p *pretender) Quarantine(_ context.Context, name string, by control.Caller) (control.Status, error) {
	return p.change(name, func(s *control.Status) {
		s.State, s.PID, s.Desired, s.Reason = control.Quarantined, 0, control.Down, "quarantined by an operator: "+by.Why
		s.Quarantine = &control.AdminStop{By: by.User, When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Why: by.Why}
	})
}

func (p *pretender) Release(_ context.Context, name string, by control.Caller) (control.Status, error) {
	return p.change(name, func(s *control.Status) {
		s.Quarantine = nil
		s.State, s.Desired, s.Reason = control.Running, control.Up, "released by an operator"
		if s.Stop != nil {
			s.State, s.Desired, s.Reason = control.Stopped, control.Down, "stopped by an operator"
		}
	})
}

func (p *pretender) Signal(_ context.Context, name, signal string, by control.Caller) (control.Status, error) {
	s, err := p.change(name, func(*control.Status) {})
	if err == nil && s.PID == 0 {
		err = &control.Error{Code: control.Refused, Message: "cannot send " + signal + " to " + name + ": no daemon of it runs: it is " + string(s.State)}
	}
	return s, err
}

func (p *pretender) Set(_ context.Context, name string, changes control.Changes, by control.Caller) (control.Changed, error) {
	s, err := p.change(name, func(*control.Status) {})
	if len(changes.Set) > 0 && changes.Set[0] == "port=0" {
		err = &control.Error{Code: control.Refused, Message: `flag "port": 0 is out of range: 1 to 65535`, Hint: "nothing was changed"}
	}
	before, after := "80", "8080"
	return control.Changed{File: "/etc/one/flags",
		Flags:   []control.FlagChange{control.NewFlagChange("port", false, &before, &after)},
		Effects: []control.FlagEffect{{Effect: control.Restarted, Why: "flag port: 80 -> 8080", Status: s}}}, err
}

func (p *pretender) Events(ctx context.Context, query control.Query, tell func(control.Event) error) error {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	p.mu.Lock()
	later := p.later
	p.mu.Unlock()
	for i, e := range append([]control.Event{
		{Decision: control.Decision{Service: "foo", What: control.WhatState, Why: "the supervisor began"}, State: control.Running, PID: 100},
		{Decision: control.Decision{Service: "foo", What: "killed", Why: "3 probes in a row failed", Evidence: "no answer\x1b[2J within 2s"}},
		{Decision: control.Decision{What: control.WhatLost, Why: "3 events came faster than they were read"}, Lost: 3},
	}, later...) {
		if e.Seq == 0 {
			e.Seq, e.Time = uint64(7+i), at.Add(time.Duration(i)*time.Second)
		}
		if query.Since == nil && query.At.IsZero() || query.Since != nil && e.Seq <= *query.Since {
			continue
		}
		if err := tell(e); err != nil {
			return err
		}
	}
	if query.Follow {
		<-ctx.Done()
	}
	return nil
}

// more adds what happened meanwhile.
func (p *pretender) more(e control.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.later = append(p.later, e)
}

func (p *pretender) Upgrade(context.Context, control.Caller) (control.Upgraded, error) {
	return control.Upgraded{Version: "the next", PID: 4711}, nil
}
