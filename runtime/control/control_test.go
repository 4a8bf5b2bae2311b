package control

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := NewClient(serve(t, f, nil))
	got, err := c.Status(t.Context())
	must(t, err)
	if diff := cmp.Diff(f.Status(t.Context()), got); diff != "" {
		t.Error(diff)
	}
	decisions, err := c.Why(t.Context(), "foo")
	must(t, err)
	if len(decisions) != 1 || decisions[0].Evidence != "timeout" {
		t.Errorf("got %+v", decisions)
	}
	started, err := c.Start(t.Context(), "foo", "")
	if err != nil || started.State != Running {
		t.Errorf("got %+v, %v", started, err)
	}
}

func TestCallerIsWhatTheKernelSays(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := NewClient(serve(t, f, nil))
	c.sudo = "alice"
	_, err := c.Start(t.Context(), "foo", "disk full")
	must(t, err)
	want := Caller{UID: os.Geteuid(), User: userName(os.Geteuid()), Why: "disk full"}
	if os.Geteuid() == 0 {
		want.User += " for alice"
	}
	if diff := cmp.Diff([]Caller{want}, f.callers); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsKeepTheirCode(t *testing.T) {
	t.Parallel()
	c := NewClient(serve(t, newFake(), nil))
	_, unknown := c.Start(t.Context(), "fooo", "")
	_, strange := c.Start(t.Context(), "../../status", "")
	_, failed := c.Restart(t.Context(), "foo", "")
	_, reason := c.Start(t.Context(), "foo", "two\nlines")
	_, long := c.Start(t.Context(), "foo", strings.Repeat("a", maxWhy+1))
	_, huge := c.Start(t.Context(), "foo", strings.Repeat("a", 1<<20))
	_, dead := NewClient(t.TempDir() + "/none.sock").Status(t.Context())
	for _, test := range []struct {
		err  error
		code Code
		text string
	}{
		{unknown, UnknownService, `"foo"`},
		{strange, UnknownService, "status"},
		{failed, Failed, "i/o timeout"},
		{reason, BadRequest, "one line"},
		{long, BadRequest, "one line"},
		{huge, BadRequest, "more than 65536 bytes"},
		{dead, Unreachable, "none.sock"},
	} {
		var e *Error
		if !errors.As(test.err, &e) || e.Code != test.code || !strings.Contains(e.Error(), test.text) {
			t.Errorf("got %v, want %s with %q", test.err, test.code, test.text)
		}
	}
	if !errors.Is(dead, os.ErrNotExist) {
		t.Error("the client does not know why it cannot reach a supervisor")
	}
}

// Whoever writes a client reads these, and knows nothing of the names that fields have in Go.
func TestARequestThatCannotBeReadIsSaidPlainly(t *testing.T) {
	t.Parallel()
	path := serve(t, newFake(), nil)
	for body, want := range map[string]string{
		`{"why": 5}`:    `cannot read the request: "why" is a JSON number, which it cannot be`,
		`{"id": ["a"]}`: `cannot read the request: "id" is a JSON array, which it cannot be`,
		`{"set": [1]}`:  `cannot read the request: "set" is a JSON number, which it cannot be`,
		`[1]`:           `cannot read the request: it is no object of JSON`,
		`{"whi": "a"}`:  `cannot read the request: unknown field "whi"`,
	} {
		var s Status
		err := NewClient(path).do(t.Context(), "POST", "/v1/services/foo/start", json.RawMessage(body), &s)
		if !isCode(err, BadRequest) || err.Error() != want {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
}

func TestStopReturnsWhenEmpty(t *testing.T) {
	t.Parallel()
	f := newFake()
	// Deadlines that a stop of the usual length would miss.
	c := NewClient(serve(t, f, func(l *Listener) { l.bounds.request, l.bounds.answer = 20*time.Millisecond, 20*time.Millisecond }))
	type result struct {
		status Status
		err    error
	}
	stopped := make(chan result, 1)
	go func() {
		s, err := c.Stop(context.Background(), "foo", "")
		stopped <- result{s, err}
	}()
	<-f.asked
	select {
	case r := <-stopped:
		t.Fatalf("stop returned %+v before the tree was empty", r)
	case <-f.left:
		t.Fatal("a deadline for half-sent requests ended a stop that was waited for")
	case <-time.After(200 * time.Millisecond): // ten times the deadlines
	}
	close(f.emptied)
	if r := <-stopped; r.err != nil || r.status.State != Stopped {
		t.Errorf("got %+v", r)
	}
}

func TestClientThatLeavesIsSeen(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := NewClient(serve(t, f, nil))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-f.asked
		cancel()
	}()
	if _, err := c.Stop(ctx, "foo", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	select {
	case <-f.left:
	case <-time.After(time.Minute):
		t.Error("the backend waits for a client that is gone")
	}
}

// Every slot is taken by a request that never ends; an operator gets through all the same.
func TestHalfSentRequestsDoNotPileUp(t *testing.T) {
	t.Parallel()
	path := serve(t, newFake(), func(l *Listener) {
		l.bounds.request, l.bounds.idle = 100*time.Millisecond, 100*time.Millisecond
		l.slots = make(chan struct{}, 4)
	})
	for i := range 12 {
		conn, err := net.Dial("unix", path)
		must(t, err)
		defer conn.Close()
		text := []string{"", "POST /v1/serv", "GET /v1/status HTTP/1.1\r\nHost: a\r\nX: ", "POST /v1/services/foo/start HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"}[i%4]
		_, err = conn.Write([]byte(text))
		must(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := NewClient(path).Status(ctx); err != nil {
		t.Error(err)
	}
}

func TestServeEndsWithTheSocketGone(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/foo.sock"
	f := newFake()
	l, err := Listen(t.Context(), path, Groups{})
	must(t, err)
	l.bounds.closing = 50 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, f) }()
	go NewClient(path).Stop(context.Background(), "foo", "") // stays open over the end
	<-f.asked
	cancel()
	must(t, <-done)
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	<-f.left
}

func TestUnknownNamesTheNearest(t *testing.T) {
	t.Parallel()
	many := make([]string, 30)
	for i := range many {
		many[i] = "service" + strings.Repeat("x", i)
	}
	for _, test := range []struct {
		name  string
		known []string
		want  string
	}{
		{"redsi", []string{"redis", "foo"}, `did you mean "redis"?; the services are: foo, redis`},
		{"zzz", []string{"redis", "foo"}, "the services are: foo, redis"},
		{"zzz", many, "`recipe status` lists the services"},
		{"servicx", many, `did you mean "service"?`},
		{"foo", nil, "none runs a service; `recipe run FILE` starts one"},
	} {
		if got := Unknown(test.name, test.known).Hint; got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
