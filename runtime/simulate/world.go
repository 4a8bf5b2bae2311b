package simulate

import (
	"container/heap"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"time"
)

// world is one host: its clocks, what is to happen on it, its supervisor and its services. now is monotonic.
type world struct {
	now     time.Duration
	skew    time.Duration // of the wall clock, beyond start + now
	instant func(now, skew time.Duration) time.Time
	queue   queue
	made    uint64 // happenings so far
	seed    uint64
	nature  nature

	services []*service
	starts   int    // that may be under way at once
	slots    int    // of them, that are free
	held     uint64 // slots so far
	holders  map[uint64]bool
	life     uint64 // of the supervisor; what belongs to an earlier one does not happen
	up       bool
	down     bool // the host is
	ending   bool // it stops everything, and ends
	queued   int  // services that wait for admission

	stalled  time.Duration // the supervisor does nothing until then
	paused   time.Duration // nor does anything else on the host
	diskFull time.Duration
	noSpawn  time.Duration
	late     time.Duration // messages are late until then

	measured bool // what the services go through is
	broken   *Violation
	trace    func(string) // nil: not wanted
	ways     map[way]int  // that were gone; nil: not wanted
	steps    int
}

// start is when the simulated hosts are set up, by the wall clock.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// oneClock serves where nobody sets the clock.
func oneClock(now, skew time.Duration) time.Time { return start.Add(now + skew) }

// whose tells who carries out what happens, and so what keeps it from happening in time.
type whose int

const (
	outside    whose = iota // an operator, bad luck
	theirs                  // a process, the kernel
	ours                    // the supervisor
	oursAnyway              // the supervisor, whichever runs
)

// happening is something that is to happen.
type happening struct {
	at    time.Duration
	made  uint64
	whose whose
	life  uint64
	sv    *service // that it concerns; nil for all
	do    func()
}

type queue []*happening

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].at != q[j].at {
		return q[i].at < q[j].at
	}
	return q[i].made < q[j].made
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*happening)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	h := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return h
}

// after has something happen d from now.
func (w *world) after(d time.Duration, whose whose, sv *service, do func()) {
	w.put(&happening{at: w.now + max(d, 0), whose: whose, life: w.life, sv: sv, do: do})
}

func (w *world) put(h *happening) {
	w.made++
	h.made = w.made
	heap.Push(&w.queue, h)
}

// run lets things happen until the end, or until a rule is broken.
func (w *world) run(end time.Duration) {
	for w.queue.Len() > 0 && w.broken == nil {
		h := heap.Pop(&w.queue).(*happening)
		if h.at > end {
			break
		}
		w.now = h.at
		if h.whose == ours && (h.life != w.life || !w.up) {
			continue
		}
		if until := w.heldUp(h.whose); until > w.now {
			h.at = until // in the order in which all was made
			heap.Push(&w.queue, h)
			continue
		}
		h.do()
		if h.sv != nil {
			h.sv.measure()
		} else {
			for _, sv := range w.services {
				sv.measure()
			}
		}
	}
	w.now = end
}

func (w *world) heldUp(whose whose) time.Duration {
	switch whose {
	case theirs:
		return w.paused
	case ours, oursAnyway:
		return max(w.paused, w.stalled)
	}
	return 0
}

// Violation is a rule that did not hold.
type Violation struct {
	Rule string
	Text string
	At   time.Duration
}

func (v *Violation) Error() string { return fmt.Sprintf("%s: after %s: %s", v.Rule, v.At, v.Text) }

// breaks notes the first rule that does not hold.
func (w *world) breaks(rule, format string, args ...any) {
	if w.broken == nil {
		w.broken = &Violation{rule, fmt.Sprintf(format, args...), w.now}
		w.tracef("BROKEN %s: %s", rule, w.broken.Text)
	}
}

func (w *world) tracef(format string, args ...any) {
	if w.trace != nil {
		w.trace(fmt.Sprintf("%12s  ", w.now.Round(time.Microsecond)) + fmt.Sprintf(format, args...))
	}
}

// nature is how long things take where nothing is wrong.
type nature struct {
	prepare span // the launcher, from its spawn to the daemon's execution
	up      span // the daemon, from its execution to its first answer
	bad     span // a daemon that cannot run, from its execution to its exit
	end     span // the daemon, from the stop signal to its exit
	answer  span // to a probe's question
	task    span // a run of a task
	message span // from what happens to where it is heard of
	noticed span // a hang that no probe finds, by somebody; zero: never
}

// span holds the least and the most; small ones are as likely as large ones, by their order of magnitude.
type span struct{ least, most time.Duration }

func (s span) draw(r *rand.Rand) time.Duration { return between(r, s.least, s.most) }

// between is a random duration, small ones as likely as large ones by their order of magnitude. It is made of whole numbers
// alone, so that every machine draws the same.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	for octaves := bits.Len64(uint64(most / least)); ; {
		low := least << r.IntN(octaves)
		if d := low + time.Duration(r.Int64N(int64(low))); d <= most {
			return d
		}
	}
}
