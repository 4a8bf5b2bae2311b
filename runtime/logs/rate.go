package logs

import (
	"bytes"
	"time"

	"recipe/runtime/plan"
)

// rate lets so many lines a second into the disk queue, and drops the others before they take its room. A Log's mu guards
// it.
type rate struct {
	tokens   float64
	filled   time.Time
	skipping bool  // the rest of a line whose start was dropped
	middle   bool  // of a line that was let in
	dropped  int64 // lines, not said yet
	lost     int64 // lines, ever
}

// admit removes lines from the chunk, and returns how many before its first line are to be accounted for there. All of a
// chunk was written at once, as far as anybody knows: it is a part of it that is let in, and the rest that is not.
func (r *rate) admit(c *chunk, limits plan.Logs, now time.Time) (said int64) {
	r.fill(limits, now)
	p := c.bytes()
	from := 0
	if r.skipping {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			c.n = 0
			return 0
		}
		from, r.skipping = end+1, false
	}
	to := from
	for to < len(p) {
		if !r.middle {
			if r.tokens < 1 {
				break
			}
			r.tokens--
		}
		end := bytes.IndexByte(p[to:], '\n')
		if r.middle = end < 0; r.middle {
			to = len(p)
			break
		}
		to += end + 1
	}
	if to > from && r.dropped > 0 {
		said, r.dropped = r.dropped, 0
	}
	if to < len(p) {
		lines := int64(bytes.Count(p[to:], []byte("\n")))
		if r.skipping = p[len(p)-1] != '\n'; r.skipping {
			lines++
		}
		r.dropped += lines
		r.lost += lines
	}
	c.n = copy(c.space, p[from:to])
	return said
}

// fill adds what the time since it was last called is worth.
func (r *rate) fill(limits plan.Logs, now time.Time) {
	if r.filled.IsZero() {
		r.tokens = float64(limits.Burst)
	} else {
		r.tokens += now.Sub(r.filled).Seconds() * float64(limits.Rate)
	}
	r.tokens = min(r.tokens, float64(limits.Burst))
	r.filled = now
}

// end is that of a line which nobody will finish. It returns what is to be said before anything else.
func (r *rate) end() (said int64) {
	r.skipping, r.middle = false, false
	said, r.dropped = r.dropped, 0
	return said
}
