package driver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"recipe/runtime/control"
)

// viewerQueue is how many events a viewer may be behind before it loses some.
const viewerQueue = 512

// viewer is somebody who looks at events as they happen. Those that find no room are counted, and told as one event in
// their place.
type viewer struct {
	services []string // none: all
	events   chan control.Event

	mu   sync.Mutex
	lost int
	last uint64 // the number of the last that was lost
}

func (v *viewer) wants(e *control.Event) bool {
	return len(v.services) == 0 || e.Service == "" || slices.Contains(v.services, e.Service)
}

// show never waits.
func (v *viewer) show(e control.Event) {
	if !v.wants(&e) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lost > 0 && cap(v.events)-len(v.events) >= 2 { // there is no other writer
		v.events <- v.loss()
	}
	if v.lost == 0 {
		select {
		case v.events <- e:
			return
		default:
		}
	}
	v.lost, v.last = v.lost+1, e.Seq
}

// loss tells of what was lost, once. The caller holds mu.
func (v *viewer) loss() control.Event {
	e := control.Event{Seq: v.last, Lost: v.lost, Decision: control.Decision{Time: time.Now(), What: control.WhatLost,
		Why: fmt.Sprintf("%d events came faster than they were read; the journal has them", v.lost)}}
	v.lost = 0
	return e
}

// next is the next event; ok is false when ctx has ended.
func (v *viewer) next(ctx context.Context) (e control.Event, ok bool) {
	select {
	case e := <-v.events:
		return e, true
	default:
	}
	v.mu.Lock()
	if v.lost > 0 && len(v.events) == 0 {
		defer v.mu.Unlock()
		return v.loss(), true
	}
	v.mu.Unlock()
	select {
	case e := <-v.events:
		return e, true
	case <-ctx.Done():
		return e, false
	}
}

// look begins a view of what happens from now on, and returns the number of the last event before it.
func (j *journal) look(v *viewer) (before uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.viewers = append(j.viewers, v)
	return j.seq
}

func (j *journal) unlook(v *viewer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.viewers = slices.DeleteFunc(j.viewers, func(other *viewer) bool { return other == v })
}

// Events implements control.Backend. What has been is read from the journal, whose two files are all that is kept.
func (s *Supervisor) Events(ctx context.Context, query control.Query, tell func(control.Event) error) error {
	for _, name := range query.Services {
		if s.service(name) == nil {
			return s.unknown(name)
		}
	}
	v := &viewer{services: query.Services}
	if query.Follow {
		v.events = make(chan control.Event, viewerQueue)
	}
	before := s.journal.look(v)
	defer s.journal.unlook(v)
	if query.Since != nil || !query.At.IsZero() {
		s.journal.settle()
		err := s.journal.each(func(e control.Event) error {
			if e.Seq > before || query.Since != nil && e.Seq <= *query.Since || e.Time.Before(query.At) || !v.wants(&e) {
				return ctx.Err()
			}
			return tell(e)
		})
		if err != nil {
			return err
		}
	}
	if !query.Follow {
		return nil
	}
	for {
		e, ok := v.next(ctx)
		if !ok {
			return nil
		}
		if err := tell(e); err != nil {
			return err
		}
	}
}
