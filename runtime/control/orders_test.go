package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// cutting passes connections on to a supervisor, and cuts the first few once their request is through.
func cutting(t *testing.T, path string, cuts int32) string {
	t.Helper()
	front := filepath.Join(t.TempDir(), "front.sock")
	l, err := net.Listen("unix", front)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	var count atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				back, err := net.Dial("unix", path)
				if err != nil {
					return
				}
				defer back.Close()
				go io.Copy(back, conn)
				if count.Add(1) <= cuts {
					back.Read(make([]byte, 1)) // the answer has begun: the command was carried out
					return
				}
				io.Copy(conn, back)
			}()
		}
	}()
	return front
}

// A command whose answer got lost is asked for again, and was carried out once.
func TestACommandIsNeverLostNorRunTwice(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := NewClient(cutting(t, serve(t, f, nil), 3))
	if s, err := c.Start(t.Context(), "foo", ""); err != nil || s.State != Running {
		t.Errorf("got %+v, %v", s, err)
	}
	if len(f.callers) != 1 {
		t.Errorf("it was carried out %d times", len(f.callers))
	}
}

// Whoever comes back while a command is under way waits with it.
func TestACommandIsWaitedForAgain(t *testing.T) {
	t.Parallel()
	f := newFake()
	path := serve(t, f, func(l *Listener) { l.bounds.again = time.Minute })
	body := commandRequest{ID: "one"}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-f.asked
		cancel()
	}()
	var s Status
	stop := func(ctx context.Context) error {
		return NewClient(path).do(ctx, "POST", "/v1/services/foo/stop", body, &s)
	}
	if err := stop(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	close(f.emptied)
	if err := stop(t.Context()); err != nil || s.State != Stopped { // a second Stop would close asked again
		t.Errorf("got %+v, %v", s, err)
	}
	err := NewClient(path).do(t.Context(), "POST", "/v1/services/bar/stop", body, &s)
	if !isCode(err, BadRequest) {
		t.Errorf("another command with the same id: %v", err)
	}
}

func TestOrdersAreBounded(t *testing.T) {
	t.Parallel()
	o := &orders{bounds: bounds{orders: 3, again: time.Minute}, served: t.Context()}
	done := func(context.Context) (any, error) { return 1, nil }
	for i := range 10 {
		if got, err := o.run(t.Context(), fmt.Sprint(i), "", done); got != 1 || err != nil {
			t.Fatalf("%d: %v, %v", i, got, err)
		}
	}
	if len(o.line) != 3 {
		t.Errorf("%d are remembered", len(o.line))
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 3 {
		o.run(gone, fmt.Sprint("held", i), "", func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() })
	}
	if _, err := o.run(t.Context(), "more", "", done); !isCode(err, Busy) {
		t.Errorf("got %v", err)
	}
}
