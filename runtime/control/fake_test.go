package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fake is a backend with the services foo and bar. Stop waits for the test to close emptied.
type fake struct {
	mu      sync.Mutex
	callers []Caller
	left    chan struct{} // closed when a waiting Stop sees its client leave
	emptied chan struct{}
	asked   chan struct{} // closed when Stop was called

	attached *fakeAttachment // nil: nobody can attach
}

func newFake() *fake {
	return &fake{left: make(chan struct{}), emptied: make(chan struct{}), asked: make(chan struct{})}
}

func (f *fake) Status(context.Context) []Status {
	yes := true
	return []Status{
		{Service: "foo", Recipe: "foo", State: Healthy, Healthy: &yes, PID: 7, Desired: Up, Since: time.Unix(1e9, 0).UTC()},
		{Service: "bar", Recipe: "foo", State: Stopped, Desired: Down, Stop: &AdminStop{By: "root", Why: "<maintenance>"}},
	}
}

func (f *fake) Supervisor(context.Context) Supervisor {
	return Supervisor{PID: 6, Version: "1", Means: []Mean{{"tree", "a fake"}}}
}

func (f *fake) known(service string) error {
	if service != "foo" && service != "bar" {
		return Unknown(service, []string{"foo", "bar"})
	}
	return nil
}

func (f *fake) Why(_ context.Context, service string) ([]Decision, error) {
	if service == "bar" {
		return nil, nil
	}
	return []Decision{{Service: service, What: "killed", Why: "its probe failed", Evidence: "timeout"}}, f.known(service)
}

func (f *fake) note(by Caller) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.callers = append(f.callers, by)
}

func (f *fake) Start(_ context.Context, service string, by Caller) (Status, error) {
	f.note(by)
	return Status{Service: service, State: Running}, f.known(service)
}

func (f *fake) Stop(ctx context.Context, service string, by Caller) (Status, error) {
	f.note(by)
	close(f.asked)
	select {
	case <-f.emptied:
		return Status{Service: service, State: Stopped}, nil
	case <-ctx.Done():
		close(f.left)
		return Status{}, ctx.Err()
	}
}

func (f *fake) Restart(_ context.Context, service string, _ Caller) (Status, error) {
	return Status{}, os.ErrDeadlineExceeded
}

func (f *fake) Quarantine(_ context.Context, service string, by Caller) (Status, error) {
	f.note(by)
	return Status{Service: service, State: Quarantined}, f.known(service)
}

func (f *fake) Release(_ context.Context, service string, by Caller) (Status, error) {
	f.note(by)
	return Status{Service: service, State: Running}, f.known(service)
}

func (f *fake) Signal(_ context.Context, service, signal string, by Caller) (Status, error) {
	f.note(by)
	return Status{Service: service, State: Running, Reason: signal}, f.known(service)
}

func (f *fake) Set(_ context.Context, service string, changes Changes, by Caller) (Changed, error) {
	f.note(by)
	return Changed{File: strings.Join(append(changes.Set, changes.Unset...), " ")}, f.known(service)
}

// Events tells twice what it is asked for, and then waits for the client to go.
func (f *fake) Events(ctx context.Context, query Query, tell func(Event) error) error {
	seq := uint64(0)
	if query.Since != nil {
		seq = *query.Since
	}
	for range 2 {
		seq++
		if err := tell(Event{Seq: seq, Decision: Decision{Service: strings.Join(query.Services, " ")}}); err != nil {
			return err
		}
	}
	if query.Follow {
		<-ctx.Done()
	}
	return nil
}

func (f *fake) Upgrade(context.Context, Caller) (Upgraded, error) {
	return Upgraded{}, &Error{Code: Refused, Message: "there is no other program"}
}

// serve runs a supervisor's socket until the test ends and returns its path.
func serve(t *testing.T, b Backend, change func(*Listener)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foo.sock")
	serveAt(t, path, b, change)
	return path
}

func serveAt(t *testing.T, path string, b Backend, change func(*Listener)) {
	t.Helper()
	l, err := Listen(t.Context(), path, Groups{})
	if err != nil {
		t.Fatal(err)
	}
	l.bounds.again = 10 * time.Millisecond
	if change != nil {
		change(l)
	}
	serveOn(t, l, b)
}

func serveOn(t *testing.T, l *Listener, b Backend) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, b) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// until polls for something that happens elsewhere.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not seen within a minute: %s", what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Attach gives what the test put into the fake.
func (f *fake) Attach(_ context.Context, service string, by Caller, how Attach) (Attachment, error) {
	f.note(by)
	if f.attached == nil {
		return nil, &Error{Code: Refused, Message: service + " has no terminal", Hint: "give it one"}
	}
	f.attached.how = how
	return f.attached, f.known(service)
}

// fakeAttachment answers what is typed with what it says, and tells sizes.
type fakeAttachment struct {
	how    Attach
	say    chan string // "!..." is a note
	once   sync.Once
	closed chan struct{}
}

func newFakeAttachment() *fakeAttachment {
	return &fakeAttachment{say: make(chan string, 100), closed: make(chan struct{})}
}

func (a *fakeAttachment) Next() ([]byte, string, error) {
	select {
	case text, more := <-a.say:
		note, noted := strings.CutPrefix(text, "!")
		switch {
		case !more:
			return nil, "", io.EOF
		case noted:
			return nil, note, nil
		}
		return []byte(text), "", nil
	case <-a.closed:
		return nil, "", io.EOF
	}
}

func (a *fakeAttachment) Write(p []byte) (int, error) {
	if a.how.ReadOnly {
		return 0, errors.New("read-only")
	}
	a.say <- "typed " + string(p)
	return len(p), nil
}

func (a *fakeAttachment) Resize(columns, rows int) { a.say <- fmt.Sprintf("!%d by %d", columns, rows) }

func (a *fakeAttachment) Close() error {
	a.once.Do(func() { close(a.closed) })
	return nil
}
