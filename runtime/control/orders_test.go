package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
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

// A command waits for the next supervisor, where a look at what is there does not.
func TestACommandWaitsForTheNextSupervisor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foo.sock")
	leaveStale(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := NewClient(path).Status(ctx); !isCode(err, Unreachable) {
		t.Errorf("got %v", err)
	}
	if _, err := NewClient(path).Start(ctx, "foo", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
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
	o := &orders{bounds: bounds{orders: 3, answers: 1 << 20, again: time.Minute}, served: t.Context()}
	done := func(context.Context, time.Time) (any, error) { return 1, nil }
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
		o.run(gone, fmt.Sprint("held", i), "", func(ctx context.Context, _ time.Time) (any, error) { <-ctx.Done(); return nil, ctx.Err() })
	}
	if _, err := o.run(t.Context(), "more", "", done); !isCode(err, Busy) {
		t.Errorf("got %v", err)
	}
}

// A thousand services that a change reaches make a large answer, which is remembered alone rather than 512 times.
func TestLargeAnswersAreForgottenFirst(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "commands")
	m := remember(path, 100, 1000)
	defer m.close()
	o := &orders{bounds: bounds{orders: 100, answers: 1000, again: time.Minute}, served: t.Context(), memory: m}
	for i := range 50 {
		answer := strings.Repeat("x", 600)
		if got, err := o.run(t.Context(), fmt.Sprint(i), "", func(context.Context, time.Time) (any, error) { return answer, nil }); got != answer || err != nil {
			t.Fatal(got, err)
		}
	}
	until(t, "all but one is forgotten", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return len(o.line) == 1 && o.line[0].key == "49"
	})
	if len(m.kept) != 1 {
		t.Errorf("%d are kept", len(m.kept))
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 8000 {
		t.Errorf("got %+v, %v", info, err)
	}
}

// Somebody who sets a secret may write it where the path of its file belongs, which is refused, and not kept either.
func TestWhatWasSetIsNotKept(t *testing.T) {
	t.Parallel()
	kept := filepath.Join(t.TempDir(), "commands")
	path := serve(t, newFake(), func(l *Listener) { l.Keep(kept) })
	for _, changes := range []Changes{{Set: []string{"password=hunter2"}}, {Unset: []string{"hunter2"}}} {
		if _, err := NewClient(path).Set(t.Context(), "foo", changes, ""); err != nil {
			t.Fatal(err)
		}
	}
	m := remember(kept, 10, 1<<20)
	defer m.close()
	for _, r := range m.kept {
		if !strings.HasPrefix(r.What, "/v1/services/foo/set ") || strings.Contains(r.What, "hunter2") {
			t.Errorf("kept is %+v", r)
		}
	}
	if len(m.kept) != 2 || m.kept[0].What == m.kept[1].What {
		t.Errorf("two commands are kept as %+v", m.kept)
	}
}

// The next supervisor answers what the last one did, and carries out what that took and did not see through, which it is
// told.
func TestCommandsOutliveTheSupervisor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "commands")
	life := func(use func(*orders)) {
		served, end := context.WithCancel(t.Context())
		m := remember(path, 3, 1<<20)
		o := &orders{bounds: bounds{orders: 3, answers: 1 << 20, again: time.Minute}, served: served, memory: m, line: m.orders()}
		use(o)
		end()
		m.close()
	}
	order := func(o *orders, ctx context.Context, key string, do carry) string {
		got, err := o.run(ctx, key, "what", do)
		data, _ := json.Marshal(got)
		return fmt.Sprint(string(data), " ", err)
	}
	never := func(context.Context, time.Time) (any, error) {
		t.Error("it was carried out again")
		return nil, nil
	}
	before := time.Now()
	life(func(o *orders) {
		order(o, t.Context(), "done", func(context.Context, time.Time) (any, error) { return Status{Service: "foo"}, nil })
		order(o, t.Context(), "refused", func(context.Context, time.Time) (any, error) {
			return nil, &Error{Code: Refused, Message: "no", Hint: "yes"}
		})
		gone, cancel := context.WithCancel(t.Context())
		begun := make(chan struct{})
		go func() {
			<-begun
			cancel()
		}()
		order(o, gone, "cut", func(ctx context.Context, _ time.Time) (any, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		})
	})
	life(func(o *orders) {
		want, _ := json.Marshal(Status{Service: "foo"})
		if got := order(o, t.Context(), "done", never); got != string(want)+" <nil>" {
			t.Errorf("got %s", got)
		}
		if got := order(o, t.Context(), "refused", never); got != "null no; yes" {
			t.Errorf("got %s", got)
		}
		var taken time.Time
		order(o, t.Context(), "cut", func(_ context.Context, at time.Time) (any, error) {
			taken = at
			return 1, nil
		})
		if taken.Before(before.Truncate(0)) || taken.After(time.Now()) {
			t.Errorf("it was taken at %s, and not after %s", taken, before)
		}
		for i := range 100 { // the file is bounded, and so is what is remembered
			order(o, t.Context(), fmt.Sprint(i), func(context.Context, time.Time) (any, error) { return i, nil })
		}
	})
	if info, err := os.Stat(path); err != nil || info.Size() > 4096 || info.Mode().Perm() != 0o600 {
		t.Errorf("got %+v, %v", info, err)
	}
	life(func(o *orders) {
		if got := order(o, t.Context(), "99", never); got != "99 <nil>" {
			t.Errorf("got %s", got)
		}
		if len(o.line) != 3 {
			t.Errorf("%d are remembered", len(o.line))
		}
	})
	if err := os.WriteFile(path, []byte("{half\n\n[]\n{\"key\":\"\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	life(func(o *orders) {
		if len(o.line) > 0 {
			t.Errorf("got %+v", o.line)
		}
	})
}
