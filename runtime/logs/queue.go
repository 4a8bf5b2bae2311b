package logs

import (
	"bytes"
	"fmt"
	"time"
)

// overdraft is how many chunks a queue takes beyond its bound, for last words and notes.
const overdraft = 8

// queue holds what one consumer, the disk or the tee, has not taken yet. When it is full, offers are dropped by whole
// lines until half of it is free. The Log's mu guards it; room alone is used without.
type queue struct {
	bound   int // chunks
	deliver func([]byte)
	reason  func() string // why lines are missing: "dropped: ..."
	room    chan struct{} // a hint that a chunk was taken

	chunks   []*chunk
	running  bool // a goroutine delivers
	taken    int  // 1 while a chunk is in its hands
	patience time.Duration

	takenAt time.Time // when what was taken was read

	unfinished      bool // the last line of what was queued lacks its newline
	takenUnfinished bool // and that of what was taken

	dropping bool  // until there is room again
	skipping bool  // until the line is over whose start was dropped
	dropped  int64 // lines, not said yet
	lost     int64 // lines, ever
}

func newQueue(bound int, deliver func([]byte), reason func() string) queue {
	return queue{bound: bound, deliver: deliver, reason: reason, room: make(chan struct{}, 1), patience: patience}
}

func (q *queue) size() int { return len(q.chunks) + q.taken }

// full leaves each queue two chunks, however much the others hold: one on its way, and one for the rest of its last line.
func (q *queue) full() bool {
	return q.size() >= q.bound || q.size() > 1 && pool.held.Load() > holdAtMost
}

func (q *queue) waiting() int {
	n := 0
	for _, c := range q.chunks {
		n += c.n
	}
	return n
}

// offer takes a chunk over and keeps or drops it. force keeps what a full queue would drop, up to the overdraft.
func (q *queue) offer(c *chunk, force bool) {
	if q.dropping && q.size() <= q.bound/2 && !q.full() {
		q.recover()
	}
	if !q.dropping && q.full() && !(force && q.size() < q.bound+overdraft) {
		q.startDropping()
	}
	switch {
	case q.dropping:
		q.drop(c.bytes())
	case q.skipping:
		c.n = copy(c.space[:], q.skip(c.bytes()))
	}
	if q.dropping || c.n == 0 {
		pool.put(c)
		return
	}
	q.push(c)
}

// push appends a chunk, into the last one where it fits.
func (q *queue) push(c *chunk) {
	q.unfinished = c.space[c.n-1] != '\n'
	if len(q.chunks) > 0 {
		if last := q.chunks[len(q.chunks)-1]; last.n+c.n <= chunkSize {
			last.n += copy(last.space[last.n:], c.bytes())
			pool.put(c)
			return
		}
	}
	q.chunks = append(q.chunks, c)
}

func (q *queue) pushText(text string) {
	for len(text) > 0 {
		c := pool.get()
		c.read = time.Now()
		c.n = copy(c.space[:], text)
		text = text[c.n:]
		q.push(c)
	}
}

// startDropping takes back the start of the line that would be torn.
func (q *queue) startDropping() {
	q.dropping = true
	if !q.unfinished {
		return
	}
	q.unfinished = q.takenUnfinished
	for len(q.chunks) > 0 {
		last := q.chunks[len(q.chunks)-1]
		if end := bytes.LastIndexByte(last.bytes(), '\n'); end >= 0 {
			last.n = end + 1
			q.unfinished = false
			break
		}
		q.chunks = q.chunks[:len(q.chunks)-1]
		pool.put(last)
	}
	q.skipping = true
	q.count(1)
}

// drop counts the lines that start in p.
func (q *queue) drop(p []byte) {
	lines := int64(bytes.Count(p, []byte("\n")))
	if q.skipping {
		lines--
	}
	if q.skipping = p[len(p)-1] != '\n'; q.skipping {
		lines++
	}
	q.count(lines)
}

// skip returns what follows the line whose start was dropped.
func (q *queue) skip(p []byte) []byte {
	end := bytes.IndexByte(p, '\n')
	if end < 0 {
		return nil
	}
	q.skipping = false
	return p[end+1:]
}

func (q *queue) count(lines int64) {
	q.dropped += lines
	q.lost += lines
}

func (q *queue) recover() {
	q.dropping = false
	q.sayDropped()
}

func (q *queue) sayDropped() {
	if q.dropped == 0 {
		return
	}
	q.finish()
	q.pushText(fmt.Sprintf("recipe: %s %s\n", counted(q.dropped), q.reason()))
	q.dropped = 0
}

func counted(lines int64) string {
	if lines == 1 {
		return "1 line"
	}
	return fmt.Sprintf("%d lines", lines)
}

// note puts a line into the stream, also of a queue that drops, so that the two stay in order.
func (q *queue) note(text string) {
	if q.size() >= q.bound+overdraft {
		q.count(1)
		return
	}
	q.sayDropped()
	q.finish()
	q.pushText(text + "\n")
}

// endLine ends the last line, whether it was queued or is being dropped.
func (q *queue) endLine() {
	q.skipping = false
	if !q.dropping {
		q.finish()
	}
}

func (q *queue) finish() {
	if q.unfinished {
		q.pushText("\n")
	}
}

// take hands the first chunk to the goroutine that delivers, and nil when that is to end.
func (q *queue) take() *chunk {
	if q.taken > 0 {
		q.taken = 0
		select {
		case q.room <- struct{}{}:
		default:
		}
	}
	if len(q.chunks) == 0 {
		q.patience = patience
		if q.dropping {
			q.recover()
		}
	}
	if len(q.chunks) == 0 {
		q.running = false
		return nil
	}
	c := q.chunks[0]
	q.takenAt = c.read
	q.chunks = append(q.chunks[:0], q.chunks[1:]...)
	q.taken = 1
	q.takenUnfinished = c.space[c.n-1] != '\n'
	return c
}
