package probe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tick is how often this process looks at the clock while a probe is in flight, and only then: it costs 1.2 % of a core.
const tick = 20 * time.Millisecond

// leastStall is what a probe must lose to be inconclusive, however short its timeout.
const leastStall = 100 * time.Millisecond

// Clock is the time that a Stall goes by.
type Clock interface {
	// Monotonic goes on while this process is stopped, but not while the machine sleeps. Boottime goes on always.
	Monotonic() time.Duration
	Boottime() time.Duration
	// Ticker sends about every period until stop is called.
	Ticker(period time.Duration) (ticks <-chan time.Time, stop func())
}

// Pause is the time in which this process could not watch: Late while ticks did not come, Suspended while the machine
// slept.
type Pause struct{ Late, Suspended time.Duration }

// Total is all of it.
func (p Pause) Total() time.Duration { return p.Late + p.Suspended }

// Inconclusive is the error of a probe that failed while this process was stalled, by SIGSTOP, a frozen or throttled
// cgroup, a paused machine or a starved CPU. It says nothing about the daemon; the probe is to be repeated.
type Inconclusive struct {
	Err     error // what the probe found
	Pause   Pause
	Timeout time.Duration
}

func (e *Inconclusive) Error() string {
	return fmt.Sprintf("inconclusive, for the supervisor itself was stalled for %s (%s of it suspended) in a probe of %s: %v",
		span(e.Pause.Total()), span(e.Pause.Suspended), span(e.Timeout), e.Err)
}

func (e *Inconclusive) Unwrap() error { return e.Err }

// Stall sees this process being stalled. Its methods may be called concurrently. It costs nothing while no Span is open.
type Stall struct {
	clock Clock

	mu        sync.Mutex
	open      int           // spans
	seen      time.Duration // Monotonic, when this process last ran for sure
	late      time.Duration // all of it, since the first Span
	stopTicks func()
}

// NewStall goes by clock, or by the kernel's when it is nil.
func NewStall(clock Clock) *Stall {
	if clock == nil {
		clock = kernelClock{}
	}
	return &Stall{clock: clock}
}

// Check is t.Check, with an *Inconclusive in place of the error where more than a third of the timeout, and at least
// 100 ms, were lost to a stall of ours.
func (s *Stall) Check(ctx context.Context, t *Target) error {
	span := s.Begin()
	_, err := t.Check(ctx)
	pause := span.End()
	if ctx.Err() != nil {
		return err
	}
	return pause.excuse(err, t.Timeout)
}

func (p Pause) excuse(err error, timeout time.Duration) error {
	if err == nil || p.Total() < leastStall || p.Total() <= timeout/3 {
		return err
	}
	return &Inconclusive{Err: err, Pause: p, Timeout: timeout}
}

// Span is a time in which somebody wants to know of stalls.
type Span struct {
	stall *Stall
	late  time.Duration
	slept time.Duration
}

// Begin opens a span; End must close it.
func (s *Stall) Begin() *Span {
	slept := s.slept()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open++; s.open == 1 {
		s.seen = s.clock.Monotonic()
		s.watch()
	} else {
		s.advance()
	}
	return &Span{stall: s, late: s.late, slept: slept}
}

// End closes the span and tells what was lost in it, up to this instant: the tick that is overdue need not have come.
func (sp *Span) End() Pause {
	s := sp.stall
	s.mu.Lock()
	s.advance()
	late := s.late - sp.late
	if s.open--; s.open == 0 {
		s.stopTicks()
	}
	s.mu.Unlock()
	return Pause{Late: late, Suspended: max(0, s.slept()-sp.slept).Truncate(tick)}
}

// advance notes that this process runs. Whatever lies more than two ticks back was a stall.
func (s *Stall) advance() {
	now := s.clock.Monotonic()
	if gap := now - s.seen; gap > 2*tick {
		s.late += gap - tick
	}
	s.seen = now
}

// watch keeps seen fresh until stopTicks.
func (s *Stall) watch() {
	ticks, stop := s.clock.Ticker(tick)
	done := make(chan struct{})
	s.stopTicks = func() { stop(); close(done) }
	go func() {
		for {
			select {
			case <-ticks:
			case <-done:
				return
			}
			s.mu.Lock()
			s.advance()
			s.mu.Unlock()
		}
	}()
}

// slept is how long the machine has been suspended since it booted. The two clocks are read one after another, so a
// stall between them is told apart by reading the first again.
func (s *Stall) slept() time.Duration {
	var slept time.Duration
	for range 5 {
		before := s.clock.Monotonic()
		slept = s.clock.Boottime() - before
		if s.clock.Monotonic()-before < time.Millisecond {
			break
		}
	}
	return slept
}

type kernelClock struct{}

func (kernelClock) Monotonic() time.Duration { return now(unix.CLOCK_MONOTONIC) }
func (kernelClock) Boottime() time.Duration  { return now(unix.CLOCK_BOOTTIME) }

func (kernelClock) Ticker(period time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(period)
	return t.C, t.Stop
}

func now(clock int32) time.Duration {
	var t unix.Timespec
	unix.ClockGettime(clock, &t) // cannot fail for a clock that Linux has
	return time.Duration(t.Nano())
}
