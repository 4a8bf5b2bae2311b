package probe

import (
	"fmt"
	"strings"
	"time"
)

// leastPause is what a probe must lose to be inconclusive, however short its timeout.
const leastPause = 100 * time.Millisecond

// Pause is the time in which this process could not watch, or the service could not answer, through no fault of its own:
// Late while ticks did not come, Suspended while the machine slept, Frozen while somebody had frozen the service's cgroup,
// Stolen while a hypervisor kept the CPUs for others (of each CPU, on average), and Starved while all that wanted to run in
// the service waited for a CPU. They overlap, but for Suspended, in which no other clock goes on.
type Pause struct{ Late, Suspended, Frozen, Stolen, Starved time.Duration }

// Total is all of it.
func (p Pause) Total() time.Duration {
	return p.Suspended + max(p.Late, p.Frozen, p.Stolen, p.Starved)
}

// Busy tells whether it is only because the host is busy that the pause excuses a failure within timeout. A host that is
// always busy must not excuse a daemon for ever.
func (p Pause) Busy(timeout time.Duration) bool {
	certain := Pause{Late: p.Late, Suspended: p.Suspended, Frozen: p.Frozen}
	return p.excuses(timeout) && !certain.excuses(timeout)
}

// excuses holds where more than a third of the timeout, and at least 100 ms, were lost.
func (p Pause) excuses(timeout time.Duration) bool {
	return p.Total() >= leastPause && p.Total() > timeout/3
}

// Excuse gives an *Inconclusive in place of an error where so much of the timeout was lost that it proves nothing.
func (p Pause) Excuse(err error, timeout time.Duration) error {
	if err == nil || !p.excuses(timeout) {
		return err
	}
	return &Inconclusive{Err: err, Pause: p, Timeout: timeout}
}

// String names each with its figure, as in "the machine slept for 1h".
func (p Pause) String() string {
	var all []string
	for _, part := range []struct {
		lost time.Duration
		text string
	}{
		{p.Late, "the supervisor itself was stalled for %s"},
		{p.Suspended, "the machine slept for %s"},
		{p.Frozen, "the service's cgroup was frozen for %s"},
		{p.Stolen, "the hypervisor kept back %s of each CPU"},
		{p.Starved, "the service waited %s for a CPU"},
	} {
		if part.lost >= leastPause {
			all = append(all, fmt.Sprintf(part.text, span(part.lost)))
		}
	}
	return strings.Join(all, ", ")
}

// Inconclusive is the error of a probe that failed while this process or the service was paused: by SIGSTOP, a frozen
// cgroup, a sleep of the machine, a hypervisor or a starved CPU. It says nothing about the daemon; the probe is to be
// repeated.
type Inconclusive struct {
	Err     error // what the probe found
	Pause   Pause
	Timeout time.Duration
}

func (e *Inconclusive) Error() string {
	return fmt.Sprintf("inconclusive, for %s in a probe of %s: %v", e.Pause, span(e.Timeout), e.Err)
}

func (e *Inconclusive) Unwrap() error { return e.Err }

// Tree is what the kernel tells of the processes that are asked.
type Tree interface {
	// Frozen tells whether somebody keeps them frozen, and how long they have been altogether, where the kernel counts.
	Frozen() (now bool, total time.Duration)
	// Starved is how long altogether none of them ran though some wanted to; what the service's own limits took is no part.
	Starved() time.Duration
}

// Mark is a moment from which on somebody wants to know of pauses.
type Mark struct {
	clock  Clock
	tree   Tree // nil where nothing is told
	at     time.Duration
	slept  time.Duration
	stolen Stolen
	frozen bool
	ice    time.Duration // frozen altogether
	thirst time.Duration // starved altogether
}

// Mark begins to look. tree may be nil. It costs three small files of the kernel's, and nothing until Since.
func (s *Stall) Mark(tree Tree) *Mark {
	m := &Mark{clock: s.clock, tree: tree, at: s.clock.Monotonic(), slept: s.slept(), stolen: s.clock.Stolen()}
	if tree != nil {
		m.frozen, m.ice = tree.Frozen()
		m.thirst = tree.Starved()
	}
	return m
}

// Since is what was lost since the mark, but for Late, of which only ticks know.
func (m *Mark) Since() Pause {
	passed := m.clock.Monotonic() - m.at
	p := Pause{Suspended: asleep(m.clock) - m.slept, Stolen: m.clock.Stolen().since(m.stolen, passed)}
	if m.tree != nil {
		frozen, ice := m.tree.Frozen()
		p.Frozen, p.Starved = ice-m.ice, m.tree.Starved()-m.thirst
		if p.Frozen == 0 && (frozen || m.frozen) { // a kernel that does not count, before Linux 6.18
			p.Frozen = passed
		}
	}
	p.Suspended = max(0, p.Suspended).Truncate(tick)
	p.Frozen, p.Starved = within(p.Frozen, passed), within(p.Starved, passed)
	return p
}

func within(d, most time.Duration) time.Duration { return min(max(0, d), most) }

// Stolen are counts of a clock's ticks since boot, over all CPUs: those that a hypervisor kept back, and all.
type Stolen struct{ Kept, All int64 }

// since is the share that was kept back of the time that passed.
func (s Stolen) since(before Stolen, passed time.Duration) time.Duration {
	kept, all := s.Kept-before.Kept, s.All-before.All
	if kept <= 0 || all <= 0 {
		return 0
	}
	return within(time.Duration(float64(passed)*float64(kept)/float64(all)), passed)
}
