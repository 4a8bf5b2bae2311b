package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"recipe/runtime/control"
)

type eventsCommand struct {
	Services []string `arg:"" optional:"" name:"service" help:"Services to show; all without any."`
	Since    string   `placeholder:"WHEN" help:"Begin with what was: a time ago (10m), a time (2026-01-02T15:04:05Z), or behind the event of that number."`
	Follow   bool     `default:"true" negatable:"" help:"Go on with what happens from now on, until interrupted."`
	JSON     bool     `name:"json" help:"Print a JSON object a line."`
}

// Help is the long text of --help.
func (*eventsCommand) Help() string {
	return `Shows states, decisions with their reasons, and commands, as the supervisors of this user have them. Who reads too slowly for them loses some, which are counted; the journal keeps them, and --since reads it. A supervisor that goes away is waited for, and nothing of what it did meanwhile is lost.

Exit codes: 0 interrupted, or with --no-follow all was shown, 1 no supervisor answers, 2 wrong usage.`
}

// Run prints one line an event.
func (c *eventsCommand) Run(s *Streams) error {
	query, err := c.query(time.Now())
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	chosen, err := surveyed(ctx, s, c.Services)
	if err != nil {
		return err
	}
	services := map[*control.Client][]string{}
	for _, f := range chosen {
		services[f.Client] = append(services[f.Client], f.Service)
	}
	if len(services) == 0 {
		return errors.New("no supervisor runs a service here; `recipe run FILE` starts one")
	}
	if query.Since != nil && len(services) > 1 {
		return usagef("cannot begin with event %d: several supervisors run here, and each has numbers of its own; name a service, or give a time", *query.Since)
	}
	p := &eventPrinter{streams: s, json: c.JSON}
	var all sync.WaitGroup
	errs := make(chan error, len(services))
	for client, names := range services {
		one := query
		if len(c.Services) > 0 {
			one.Services = names
		}
		all.Go(func() { errs <- p.follow(ctx, client, one) })
	}
	all.Wait()
	close(errs)
	var failed []error
	for err := range errs {
		failed = append(failed, err)
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(failed...)
}

func (c *eventsCommand) query(now time.Time) (q control.Query, err error) {
	q.Follow = c.Follow
	if c.Since == "" {
		if !c.Follow {
			return q, usagef("cannot show what was without --since: give a time ago, such as --since 10m")
		}
		return q, nil
	}
	if number, err := strconv.ParseUint(c.Since, 10, 64); err == nil {
		q.Since = &number
		return q, nil
	}
	if at, ok := moment(c.Since, now); ok {
		q.At = at
		return q, nil
	}
	return q, usagef("cannot read --since %q: give a time ago (10m), a time (2026-01-02T15:04:05Z, \"2026-01-02 15:04:05\" or 2026-01-02), or the number of an event", c.Since)
}

// moment reads a time ago or a time, of this host where it names no zone.
func moment(text string, now time.Time) (at time.Time, ok bool) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, true
		}
	}
	return at, false
}

// eventPrinter shows the events of several supervisors.
type eventPrinter struct {
	streams *Streams
	json    bool
	mu      sync.Mutex
}

// A supervisor that went away is asked again at once, since its successor may be there, and then after pauses.
const (
	firstComeback = 20 * time.Millisecond
	comeback      = time.Second
)

// follow shows one supervisor's events, over its restarts.
func (p *eventPrinter) follow(ctx context.Context, client *control.Client, query control.Query) error {
	pause := time.Duration(0) // while it is away
	for {
		err := client.Events(ctx, query, func(e control.Event) error {
			seen := e.Seq
			query.Since, query.At, pause = &seen, time.Time{}, 0
			return p.print(e)
		})
		var e *control.Error
		if ctx.Err() != nil || !query.Follow || err != nil && (!errors.As(err, &e) || e.Code != control.Unreachable) {
			return err
		}
		switch pause {
		case 0:
			p.say(fmt.Sprintf("recipe: the supervisor at %s ended or became another program; waiting for the next%s", client.Path, behind(query)))
			pause = firstComeback
		default:
			pause = comeback
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// behind is where the next one begins.
func behind(query control.Query) string {
	if query.Since == nil {
		return ""
	}
	return fmt.Sprintf(", to go on behind event %d", *query.Since)
}

func (p *eventPrinter) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.streams.Err, printable(line))
}

func (p *eventPrinter) print(e control.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.json {
		enc := json.NewEncoder(p.streams.Out)
		enc.SetEscapeHTML(false)
		return enc.Encode(e)
	}
	_, err := fmt.Fprintln(p.streams.Out, printable(eventLine(e)))
	return err
}

// eventLine is one line, whatever the event holds.
func eventLine(e control.Event) string {
	line := e.Time.Local().Format("2006-01-02 15:04:05.000") + "  "
	if e.Service != "" {
		line += e.Service + ": "
	}
	switch e.What {
	case control.WhatState:
		line += "is " + string(e.State)
		if e.PID != 0 {
			line += fmt.Sprintf(", pid %d", e.PID)
		}
		if e.Why != "" {
			line += ": " + e.Why
		}
	default:
		line += e.What + ": " + e.Why
	}
	if e.Evidence != "" {
		line += " (" + e.Evidence + ")"
	}
	return strings.ReplaceAll(line, "\n", "; ")
}
