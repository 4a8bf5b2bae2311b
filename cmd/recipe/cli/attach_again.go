package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"recipe/runtime/control"
)

// attachment is an operator's, over supervisors: the successor of one that went away is attached to as that one was.
type attachment struct {
	ctx    context.Context
	attach func(context.Context) (*control.Attached, error)

	mu  sync.Mutex
	now *control.Attached
}

// A supervisor that becomes its successor is away for a second at most; one that an init starts anew is there a little later.
const (
	awayPatience = 10 * time.Second
	awayPause    = 50 * time.Millisecond
	awaySaid     = time.Second // after so long, that it is waited for
)

func (a *attachment) current() *control.Attached {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

// again takes the place of an attachment that was lost with its supervisor. waits is called once where that takes long. err is why none can be had.
func (a *attachment) again(waits func()) (away time.Duration, err error) {
	began := time.Now()
	long := time.AfterFunc(awaySaid, waits)
	defer long.Stop()
	a.current().Close()
	for {
		next, err := a.attach(a.ctx)
		away = time.Since(began)
		if err == nil {
			a.mu.Lock()
			a.now = next
			a.mu.Unlock()
			return away, nil
		}
		var e *control.Error
		if a.ctx.Err() != nil || away > awayPatience || !errors.As(err, &e) || e.Code != control.Unreachable {
			return away, err
		}
		select {
		case <-time.After(awayPause):
		case <-a.ctx.Done():
		}
	}
}

// Write types. What nobody takes is lost; whoever reads says so.
func (a *attachment) Write(p []byte) (int, error) {
	_, _ = a.current().Write(p)
	return len(p), nil
}

func (a *attachment) resize(columns, rows int) { _ = a.current().Resize(columns, rows) }

func (a *attachment) close() { a.current().Close() }

// backAgain is what an operator is told who has been attached again.
func backAgain(away time.Duration) string {
	return fmt.Sprintf("the supervisor was away for %s: attached again; what was typed meanwhile is lost", max(away.Round(time.Millisecond), time.Millisecond))
}
