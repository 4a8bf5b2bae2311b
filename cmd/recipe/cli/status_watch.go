package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"recipe/runtime/control"
)

// A watch asks for the services when an event tells that something changed, and every few seconds, since a supervisor may
// have begun.
const (
	watchEvery = 2 * time.Second
	watchQuiet = 50 * time.Millisecond // after an event, so that one of many is answered once
)

// watch shows the services until ctx ends: on a terminal in place, elsewhere one table, or one line of JSON, a change.
func (c *statusCommand) watch(ctx context.Context, s *Streams) error {
	w := &statusWatch{changed: make(chan struct{}, 1), streams: map[string]bool{}, ended: make(chan string, 1)}
	inPlace := terminalOf(s.Out) != nil && !c.JSON
	var last []byte
	var said string
	for {
		host, err := openHost()
		if err != nil {
			return err
		}
		w.follow(ctx, host)
		found := host.Survey(ctx)
		if ctx.Err() != nil {
			return nil
		}
		chosen, missing := choose(&found, c.Services)
		trouble := errors.Join(append(found.Failures, missing)...)
		answer := servicesJSON{Services: []control.Status{}}
		for _, f := range chosen {
			answer.Services = append(answer.Services, f.Status)
		}
		now, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		changed := !bytes.Equal(now, last)
		last = now
		var shown []byte
		switch {
		case c.JSON && changed:
			shown = append(now, '\n')
		case c.JSON:
		case inPlace:
			shown = append([]byte("\x1b[H\x1b[2J"), statusTable(answer.Services, time.Now())...)
			shown = append(shown, complaint(trouble)...)
		case changed:
			shown = append(statusTable(answer.Services, time.Now()), '\n')
		}
		if _, err := s.Out.Write(shown); err != nil {
			return err
		}
		if text := string(complaint(trouble)); !inPlace && text != said {
			said = text
			io.WriteString(s.Err, text)
		}
		if !w.wait(ctx) {
			return nil
		}
	}
}

// statusWatch hears of changes.
type statusWatch struct {
	changed chan struct{}
	ended   chan string     // sockets whose stream has ended
	streams map[string]bool // by socket
}

// follow listens to the supervisors that it does not listen to yet.
func (w *statusWatch) follow(ctx context.Context, host *control.Host) {
	for _, client := range host.Clients {
		if w.streams[client.Path] {
			continue
		}
		w.streams[client.Path] = true
		go func() {
			client.Events(ctx, control.Query{Follow: true}, func(control.Event) error {
				select {
				case w.changed <- struct{}{}:
				default:
				}
				return nil
			})
			select {
			case w.ended <- client.Path:
			case <-ctx.Done():
			}
		}()
	}
}

// wait returns when it is time to look again; false when ctx ended.
func (w *statusWatch) wait(ctx context.Context) bool {
	look, heard := time.After(watchEvery), false
	for {
		select {
		case <-w.changed:
			if !heard {
				look, heard = time.After(watchQuiet), true
			}
		case path := <-w.ended:
			delete(w.streams, path)
		case <-look:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
