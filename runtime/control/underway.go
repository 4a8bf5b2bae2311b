package control

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"recipe/runtime/handover"
)

// given is what is known of an order: whether it was given, and whether a predecessor of this program did that.
type given struct {
	mu      sync.Mutex
	ordered bool
	before  bool
}

func (g *given) was() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ordered || g.before
}

type givenKey struct{}

func withGiven(ctx context.Context, g *given) context.Context {
	return context.WithValue(ctx, givenKey{}, g)
}

// HandOn notes that what the request of ctx asks for has been ordered.
func HandOn(ctx context.Context) {
	if g, ok := ctx.Value(givenKey{}).(*given); ok {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ordered = true
	}
}

// HandedOn reports whether what the request of ctx asks for was ordered by a predecessor of this program: it waits for the
// effect alone.
func HandedOn(ctx context.Context) bool {
	g, ok := ctx.Value(givenKey{}).(*given)
	if !ok {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.before
}

// mostUnderway bounds what is kept of a request: more than its head and its body may have.
const mostUnderway = 128 << 10

// underway is the request of a connection that is not answered yet.
type underway struct {
	mu      sync.Mutex
	still   sync.Cond // nobody reads any longer
	reading int
	read    []byte
	again   []byte // what the predecessor read, and is to be read again
	answers bool   // something of the answer was sent, or is being sent
	given   *given
	foreign bool // too long, or no longer a matter of HTTP
	handing bool // neither read nor answered by this process any more
}

// begins is called before anybody else has the connection.
func (u *underway) begins() {
	u.still.L = &u.mu
	if u.given == nil {
		u.given = &given{}
	}
}

// mark is the order of the request that is served now.
func (u *underway) mark() *given {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.given
}

// becomes follows the server. Between two requests there is nothing to be kept.
func (u *underway) becomes(state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch state {
	case http.StateIdle:
		u.read, u.answers, u.given = nil, false, &given{}
	case http.StateHijacked:
		u.foreign = true
	}
}

// parkIfHanding never returns once the connection is handed on: the exec ends whoever is here. The caller holds mu.
func (u *underway) parkIfHanding() {
	if u.handing {
		u.mu.Unlock()
		select {}
	}
}

// Read keeps what it reads until it is answered.
func (c *connection) Read(p []byte) (n int, err error) {
	u := &c.request
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parkIfHanding()
	if n = copy(p, u.again); n > 0 {
		u.again = u.again[n:]
	} else {
		u.reading++
		u.mu.Unlock()
		n, err = c.UnixConn.Read(p)
		u.mu.Lock()
		u.reading--
	}
	u.keep(p[:n])
	if u.handing {
		u.still.Broadcast()
	}
	u.parkIfHanding()
	return n, err
}

func (u *underway) keep(p []byte) {
	if u.foreign = u.foreign || len(u.read)+len(p) > mostUnderway; u.foreign {
		u.read = nil
		return
	}
	u.read = append(u.read, p...)
}

func (c *connection) Write(p []byte) (int, error) {
	c.request.mu.Lock()
	c.request.parkIfHanding()
	c.request.answers = true
	c.request.mu.Unlock()
	return c.UnixConn.Write(p)
}

// SetReadDeadline is without effect on a connection that is handed on: whoever reads it is to come back.
func (c *connection) SetReadDeadline(t time.Time) error {
	c.request.mu.Lock()
	defer c.request.mu.Unlock()
	if c.request.handing {
		return nil
	}
	return c.UnixConn.SetReadDeadline(t)
}

// SetDeadline likewise.
func (c *connection) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// Close leaves a connection that is handed on as it is.
func (c *connection) Close() error {
	c.request.mu.Lock()
	c.request.parkIfHanding()
	c.request.mu.Unlock()
	c.release()
	return c.UnixConn.Close()
}

// describe is the connection as it would be handed on.
func (c *connection) describe() (HandedConnection, error) {
	u := &c.request
	number, err := handover.Number(c.UnixConn)
	return HandedConnection{Descriptor: number, Read: slices.Concat(u.read, u.again), Ordered: u.given.was()}, err
}

// hand stops the connection, and returns when nobody reads it any longer. It reports false while it is being answered.
func (c *connection) hand() bool {
	u := &c.request
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.foreign {
		return true // it breaks, whatever it is
	}
	if u.answers {
		return false
	}
	u.handing = true
	_ = c.UnixConn.SetReadDeadline(time.Unix(1, 0))
	for u.reading > 0 {
		u.still.Wait()
	}
	return true
}
