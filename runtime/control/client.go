package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
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

func (c *Client) act(ctx context.Context, service, verb, why string) (Status, error) {
	var s Status
	err := c.do(ctx, "POST", "/v1/services/"+url.PathEscape(service)+"/"+verb, actionRequest{Why: why, SudoUser: c.sudo}, &s)
	return s, err
}

// maxAnswer bounds what a client takes from a supervisor, in bytes: 10,000 services with long reasons.
const maxAnswer = 16 << 20

// do sends one request. What goes wrong is an *Error, or ctx's error when that ended first.
func (c *Client) do(ctx context.Context, method, path string, body, into any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return fmt.Errorf("cannot encode the request: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://recipe"+path, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("cannot make the request: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer response.Body.Close()
	data, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return c.unreachable(ctx, err)
	}
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
