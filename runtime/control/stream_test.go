package control

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestEventsAreStreamed(t *testing.T) {
	t.Parallel()
	c := NewClient(serve(t, newFake(), func(l *Listener) { l.bounds.viewers = 1 }))
	since := uint64(41)
	var got []Event
	must(t, c.Events(t.Context(), Query{Since: &since, Services: []string{"foo", "bar"}}, func(e Event) error {
		got = append(got, e)
		return nil
	}))
	if len(got) != 2 || got[0].Seq != 42 || got[1].Service != "foo bar" {
		t.Errorf("got %+v", got)
	}
	// A viewer is heard at once and has all there is, long before the stream ends.
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Events(ctx, Query{Follow: true}, func(e Event) error {
		if e.Seq == 2 {
			if err := c.Events(t.Context(), Query{}, nil); !isCode(err, Busy) {
				t.Errorf("a second viewer of one that is allowed: %v", err)
			}
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	_, err = c.send(t.Context(), "GET", "/v1/events?since=yesterday", nil)
	must(t, err)
}

// Who looks at events keeps no supervisor from its end, and is told that it was the end and no break.
func TestViewersDoNotKeepASupervisor(t *testing.T) {
	t.Parallel()
	l, err := Listen(t.Context(), filepath.Join(t.TempDir(), "foo.sock"), Groups{})
	must(t, err)
	l.bounds.closing = time.Minute
	ctx, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx, newFake()) }()
	began := time.Now()
	must(t, NewClient(l.Path()).Events(t.Context(), Query{Follow: true}, func(Event) error {
		end()
		return nil
	}))
	must(t, <-served)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it ended after %s", took)
	}
}

func TestSignalsByAnyName(t *testing.T) {
	t.Parallel()
	c := NewClient(serve(t, newFake(), nil))
	for text, want := range map[string]string{"HUP": "HUP", "SIGUSR1": "USR1", "sigterm": "TERM", "9": "KILL", "1": "HUP"} {
		if s, err := c.Signal(t.Context(), "foo", text, ""); err != nil || s.Reason != want {
			t.Errorf("%s: got %+v, %v", text, s.Reason, err)
		}
	}
	for _, text := range []string{"", "HUB", "0", "65", "SIG", "-1"} {
		if _, err := c.Signal(t.Context(), "foo", text, ""); !isCode(err, BadRequest) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
