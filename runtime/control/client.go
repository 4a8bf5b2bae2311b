package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Client talks to one supervisor. It keeps no connection open and may be used from several goroutines.
type Client struct {
	Path string // of the socket

	http http.Client
	sudo string
}

// NewClient makes a client for the socket at path; it does not connect. Records name $SUDO_USER beside root.
func NewClient(path string) *Client {
	return &Client{Path: path, sudo: os.Getenv("SUDO_USER"), http: http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, path)
		},
	}}}
}

// Status asks for every service of the supervisor.
func (c *Client) Status(ctx context.Context) ([]Status, error) {
	var a statusAnswer
	err := c.do(ctx, "GET", "/v1/status", nil, &a)
	return a.Services, err
}

// Supervisor asks for what the supervisor tells of itself.
func (c *Client) Supervisor(ctx context.Context) (Supervisor, error) {
	var a Supervisor
	return a, c.do(ctx, "GET", "/v1/supervisor", nil, &a)
}

// Why asks for the decisions about a service, the oldest first.
func (c *Client) Why(ctx context.Context, service string) ([]Decision, error) {
	var a whyAnswer
	err := c.do(ctx, "GET", "/v1/services/"+url.PathEscape(service)+"/why", nil, &a)
	return a.Decisions, err
}

// Start returns when the daemon was executed.
func (c *Client) Start(ctx context.Context, service, why string) (Status, error) {
	return c.act(ctx, service, "start", why)
}

// Stop returns when nothing of the daemon's tree is left.
func (c *Client) Stop(ctx context.Context, service, why string) (Status, error) {
	return c.act(ctx, service, "stop", why)
}

// Restart returns when a new incarnation was executed.
func (c *Client) Restart(ctx context.Context, service, why string) (Status, error) {
	return c.act(ctx, service, "restart", why)
}

// Quarantine returns when nothing of the daemon's tree is left. why must be given.
func (c *Client) Quarantine(ctx context.Context, service, why string) (Status, error) {
	return c.act(ctx, service, "quarantine", why)
}

// Release returns when what was wanted before a quarantine holds again.
func (c *Client) Release(ctx context.Context, service, why string) (Status, error) {
	return c.act(ctx, service, "release", why)
}

// Signal returns when the daemon's first process was sent the signal, whose name may begin with SIG.
func (c *Client) Signal(ctx context.Context, service, signal, why string) (Status, error) {
	var s Status
	return s, c.command(ctx, service, "signal", commandRequest{Signal: signal, actionRequest: actionRequest{Why: why}}, &s)
}

// Set returns when the services that run have the changed flags, or have been seen not to.
func (c *Client) Set(ctx context.Context, service string, changes Changes, why string) (Changed, error) {
	var a Changed
	return a, c.command(ctx, service, "set", commandRequest{Set: changes.Set, Unset: changes.Unset, actionRequest: actionRequest{Why: why}}, &a)
}

// Upgrade returns when the supervisor has become the program that is installed by now.
func (c *Client) Upgrade(ctx context.Context, why string) (Upgraded, error) {
	var u Upgraded
	body := commandRequest{ID: rand.Text(), actionRequest: actionRequest{Why: why, SudoUser: c.sudo}}
	return u, c.do(ctx, "POST", "/v1/upgrade", body, &u)
}

func (c *Client) act(ctx context.Context, service, verb, why string) (Status, error) {
	var s Status
	err := c.command(ctx, service, verb, commandRequest{actionRequest: actionRequest{Why: why}}, &s)
	return s, err
}

// command gives the command an id, by which it is asked for again when the connection breaks.
func (c *Client) command(ctx context.Context, service, verb string, body commandRequest, into any) error {
	body.SudoUser, body.ID = c.sudo, rand.Text()
	return c.do(ctx, "POST", "/v1/services/"+url.PathEscape(service)+"/"+verb, body, into)
}

// Events tells what happens until ctx ends, tell fails, or there are no more. The error is nil in the last case alone; a
// stream that breaks is Unreachable.
func (c *Client) Events(ctx context.Context, query Query, tell func(Event) error) error {
	values := url.Values{"service": query.Services}
	switch {
	case query.Since != nil:
		values.Set("since", strconv.FormatUint(*query.Since, 10))
	case !query.At.IsZero():
		values.Set("since", query.At.UTC().Format(time.RFC3339Nano))
	}
	if !query.Follow {
		values.Set("follow", "false")
	}
	response, err := c.send(ctx, "GET", "/v1/events?"+values.Encode(), nil)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		data, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		return c.refusal(response, data)
	}
	for dec := json.NewDecoder(response.Body); ; {
		var e Event
		switch err := dec.Decode(&e); {
		case err == io.EOF:
			return nil
		case err != nil:
			return c.unreachable(ctx, err)
		}
		if err := tell(e); err != nil {
			return err
		}
	}
}

// maxAnswer bounds what a client takes from a supervisor, in bytes: 10,000 services with long reasons.
const maxAnswer = 16 << 20

// A connection that breaks is made anew for so long: a supervisor that has too many of them closes some, and one that
// was killed or replaced comes again.
const (
	againFor   = 5 * time.Second
	againAfter = 20 * time.Millisecond // and twice as long each time, up to half a second
)

// do sends one request and reads its answer. What is sent must be safe to be sent twice. What goes wrong is an *Error, or
// ctx's error when that ended first.
func (c *Client) do(ctx context.Context, method, path string, body, into any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return fmt.Errorf("cannot encode the request: %w", err)
		}
	}
	var broke time.Time
	for pause := againAfter; ; pause = min(2*pause, 500*time.Millisecond) {
		status, text, err := c.exchange(ctx, method, path, data)
		if err == nil {
			return c.take(status, text, into)
		}
		if broke.IsZero() && (brokeOff(err) || method == "POST" && nobodyListens(err)) { // who commands has seen it a moment ago
			broke = time.Now()
		}
		if broke.IsZero() || time.Since(broke) > againFor || ctx.Err() != nil {
			return c.unreachable(ctx, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (c *Client) send(ctx context.Context, method, path string, data []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://recipe"+path, bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("cannot make the request: %w", err)
	}
	return c.http.Do(request)
}

func (c *Client) exchange(ctx context.Context, method, path string, data []byte) (*http.Response, []byte, error) {
	response, err := c.send(ctx, method, path, data)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response, text, err
}

func (c *Client) take(response *http.Response, data []byte, into any) error {
	if response.StatusCode != http.StatusOK {
		return c.refusal(response, data)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return &Error{Code: Failed, Message: fmt.Sprintf("cannot read the answer of the supervisor at %s: %v", c.Path, err)}
	}
	return nil
}

func (c *Client) refusal(response *http.Response, body []byte) error {
	e := &Error{}
	if json.Unmarshal(body, e) != nil || e.Message == "" {
		e = &Error{Code: Failed, Message: fmt.Sprintf("the supervisor at %s answered %s", c.Path, response.Status)}
	}
	return e
}

// brokeOff reports whether a connection was there and has ended, or could not be had for now.
func brokeOff(err error) bool {
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.EAGAIN} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the supervisor at %s has not answered: %w", c.Path, ctx.Err())
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &Error{Code: Unreachable, Message: fmt.Sprintf("cannot reach the supervisor at %s: %v", c.Path, err), cause: err}
}

// nobodyListens reports whether err says that the socket's supervisor is gone.
func nobodyListens(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, os.ErrNotExist)
}
