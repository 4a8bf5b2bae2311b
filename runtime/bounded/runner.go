package bounded

import (
	"context"
	"errors"
	"sync"
)

// Runner has work done by children, each of which is started when it is first needed and does one piece of work after
// another. Its methods may be called concurrently.
type Runner struct {
	// Program is the command of a child where it is not this program itself: one of another architecture, say, behind its
	// emulator. Its argv[0] is ChildName.
	Program []string

	limits Limits
	slots  chan struct{} // pieces of work under way

	mu     sync.Mutex
	ahead  chan *child // that Start started; nil when it was taken
	idle   []*child
	closed bool
}

// New makes a runner of at most that many children, at least one. It must be closed.
func New(limits Limits, children int) *Runner {
	return &Runner{limits: limits, slots: make(chan struct{}, max(children, 1))}
}

// Start starts a child ahead of its work, while the caller does something else.
func (r *Runner) Start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	ahead := make(chan *child, 1)
	r.ahead = ahead
	go func() {
		c, _ := start(r.limits, r.Program) // a failure is met again, and told, when there is work
		ahead <- c
	}()
}

// started takes the child that Start started, or nil.
func (r *Runner) started() *child {
	r.mu.Lock()
	ahead := r.ahead
	r.ahead = nil
	r.mu.Unlock()
	if ahead == nil {
		return nil
	}
	return <-ahead
}

// Do has a child do one piece of work. serve answers what the child asks on the way; it is called by this goroutine. An
// *Ended tells that the work killed its child; another error is what the work itself says, or the end of ctx.
func (r *Runner) Do(ctx context.Context, kind string, request []byte, serve Ask) ([]byte, error) {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-r.slots }()
	c, err := r.take()
	if err != nil {
		return nil, err
	}
	before := c.served
	answer, err := c.do(ctx, kind, request, serve)
	if before > 0 && blameless(err) {
		if c, err = start(r.limits, r.Program); err != nil {
			return nil, err
		}
		answer, err = c.do(ctx, kind, request, serve)
	}
	if !c.dead {
		r.put(c)
	}
	return answer, err
}

// blameless reports whether what ended the child may be the fault of work that it did before.
func blameless(err error) bool {
	var ended *Ended
	return errors.As(err, &ended) && (ended.Why == Memory || ended.Why == Crashed)
}

func (r *Runner) take() (*child, error) {
	if c := r.started(); c != nil {
		return c, nil
	}
	r.mu.Lock()
	if n := len(r.idle); n > 0 {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return c, nil
	}
	r.mu.Unlock()
	return start(r.limits, r.Program)
}

func (r *Runner) put(c *child) {
	r.mu.Lock()
	keep := !r.closed && c.usable()
	if keep {
		r.idle = append(r.idle, c)
	}
	r.mu.Unlock()
	if !keep {
		c.close()
	}
}

// Close ends the children that are idle, and each other one when its work is done.
func (r *Runner) Close() {
	if c := r.started(); c != nil {
		c.close()
	}
	r.mu.Lock()
	idle := r.idle
	r.idle, r.closed = nil, true
	r.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}
