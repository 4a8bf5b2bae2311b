package probe

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tick is how often this process looks at the clock while a probe is in flight, and only then: it costs 1.2 % of a core.
const tick = 20 * time.Millisecond

// Clock is the time that a Stall goes by.
type Clock interface {
	// Monotonic goes on while this process is stopped, but not while the machine sleeps. Boottime goes on always.
	Monotonic() time.Duration
	Boottime() time.Duration
	// Stolen is what a hypervisor has kept back.
	Stolen() Stolen
	// Ticker sends about every period until stop is called.
	Ticker(period time.Duration) (ticks <-chan time.Time, stop func())
}

// Stall sees this process being stalled. Its methods may be called concurrently. It costs nothing while no Span is open.
type Stall struct {
	clock Clock

	mu        sync.Mutex
	open      map[*Span]struct{}
	seen      time.Duration // Monotonic, when this process last ran for sure
	late      time.Duration // all of it, since the first Span
	stopTicks func()
}

// NewStall goes by clock, or by the kernel's when it is nil.
func NewStall(clock Clock) *Stall {
	if clock == nil {
		clock = kernelClock{}
	}
	return &Stall{clock: clock, open: map[*Span]struct{}{}}
}

// Check is t.Check, with an *Inconclusive in place of the error where a pause excuses it. tree is whom the probe asks; it may
// be nil.
func (s *Stall) Check(ctx context.Context, t *Target, tree Tree) error {
	span := s.Begin(tree)
	_, err := t.Check(ctx)
	pause := span.End()
	if ctx.Err() != nil {
		return err
	}
	return pause.Excuse(err, t.Timeout)
}

// markAfter is how long a span is open before more than the ticks is looked at: most probes are answered long before.
const markAfter = tick

// Span is a time in which somebody wants to know of stalls.
type Span struct {
	stall *Stall
	tree  Tree
	late  time.Duration
	slept time.Duration
	began time.Duration
	mark  *Mark // nil until markAfter
}

// Begin opens a span; End must close it. tree may be nil.
func (s *Stall) Begin(tree Tree) *Span {
	slept := s.slept()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		s.seen = s.clock.Monotonic()
		s.watch()
	} else {
		s.advance()
	}
	span := &Span{stall: s, tree: tree, late: s.late, slept: slept, began: s.seen}
	s.open[span] = struct{}{}
	return span
}

// End closes the span and tells what was lost in it, up to this instant: the tick that is overdue need not have come.
func (sp *Span) End() Pause {
	s := sp.stall
	s.mu.Lock()
	s.advance()
	late := s.late - sp.late
	delete(s.open, sp)
	if len(s.open) == 0 {
		s.stopTicks()
	}
	mark := sp.mark
	s.mu.Unlock()
	pause := Pause{Suspended: max(0, s.slept()-sp.slept).Truncate(tick)}
	if mark != nil {
		slept := pause.Suspended
		pause = mark.Since()
		pause.Suspended = slept
		if mark.frozen { // then it was before
			pause.Frozen += mark.at - sp.began
		}
	}
	pause.Late = late
	return pause
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
			s.markOld()
			s.mu.Unlock()
		}
	}()
}

// markOld marks the spans that have been open for a while.
func (s *Stall) markOld() {
	for span := range s.open {
		if span.mark == nil && s.seen-span.began >= markAfter {
			span.mark = s.Mark(span.tree)
		}
	}
}

func (s *Stall) slept() time.Duration { return asleep(s.clock) }

// asleep is how long the machine has been suspended since it booted. The two clocks are read one after another, so a
// stall between them is told apart by reading the first again.
func asleep(clock Clock) time.Duration {
	var slept time.Duration
	for range 5 {
		before := clock.Monotonic()
		slept = clock.Boottime() - before
		if clock.Monotonic()-before < time.Millisecond {
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

// Stolen reads the first line of /proc/stat (proc_stat(5)): user, nice, system, idle, iowait, irq, softirq, steal; what
// follows is counted in user as well.
func (kernelClock) Stolen() Stolen {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return Stolen{}
	}
	defer f.Close()
	var line [256]byte
	n, _ := f.Read(line[:])
	return parseStolen(string(line[:n]))
}

func parseStolen(text string) (s Stolen) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return s
	}
	for i, field := range fields[1:9] {
		count, err := strconv.ParseInt(field, 10, 64)
		if err != nil || count < 0 {
			return Stolen{}
		}
		s.All += count
		if i == 7 {
			s.Kept = count
		}
	}
	return s
}

func now(clock int32) time.Duration {
	var t unix.Timespec
	unix.ClockGettime(clock, &t) // cannot fail for a clock that Linux has
	return time.Duration(t.Nano())
}
