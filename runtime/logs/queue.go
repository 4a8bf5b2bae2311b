package logs

import (
	"bytes"
	"fmt"
	"time"
)

// overdraft is how many bytes a queue takes beyond its bound, for last words and notes.
const overdraft = 512 << 10

// leastRate is what a disk takes in a second, in bytes, that never holds a daemon back for too long.
const leastRate = 32 << 20

// queue holds what one consumer, the disk or the tee, has not taken yet. When it is full, offers are dropped by whole
// lines until half of it is free. The Log's mu guards it.
type queue struct {
	memory *memory
	crew   *crew
	to     consumer
	bound  int           // bytes, of the chunks' space
	room   chan struct{} // closed when a chunk is taken; nil while nobody waits for that

	chunks   []*chunk
	held     int  // bytes of space of the chunks, the taken one among them
	running  bool // it is delivered, or waits for its turn
	pausing  bool // since what was taken could not be delivered yet,
	again    bool // and is to be taken again
	taken    *chunk
	patience time.Duration

	unfinished      bool // the last line of what was queued lacks its newline
	takenUnfinished bool // and that of what was taken

	dropping bool  // until there is room again
	skipping bool  // until the line is over whose start was dropped
	dropped  int64 // lines, not said yet
	lost     int64 // lines, ever
}

// consumer is where a queue's chunks go.
type consumer interface {
	// deliver is called without the Log's mu; again with the same chunk where it is not done.
	deliver(*chunk) (done bool)
	// reason tells why lines are missing: "dropped: ...". The Log's mu is held.
	reason() string
}

func newQueue(m *memory, w *crew, bound int, to consumer) queue {
	return queue{memory: m, crew: w, to: to, bound: bound, patience: patience}
}

// full leaves each queue two chunks, however much the others hold: one on its way, and one for the rest of its last line.
func (q *queue) full() bool {
	several := len(q.chunks) > 1 || len(q.chunks) > 0 && q.taken != nil
	return q.held >= q.bound || several && q.memory.tight()
}

// isRunning reports whether something is to be delivered; never of a queue that is not there.
func (q *queue) isRunning() bool { return q != nil && q.running }

func (q *queue) waiting() int {
	n := 0
	for _, c := range q.chunks {
		n += c.n
	}
	return n
}

// offer takes a chunk over and keeps or drops it. force keeps what a full queue would drop, up to the overdraft.
func (q *queue) offer(c *chunk, force bool) {
	if q.dropping && q.held <= q.bound/2 && !q.full() {
		q.recover()
	}
	if !q.dropping && q.full() && !(force && q.held < q.bound+overdraft) {
		q.startDropping()
	}
	switch {
	case q.dropping:
		q.drop(c.bytes())
	case q.skipping:
		c.n = copy(c.space, q.skip(c.bytes()))
	}
	if q.dropping || c.n == 0 {
		q.memory.put(c)
		return
	}
	q.push(c)
}

// push appends a chunk, into the last one where it is small and fits.
func (q *queue) push(c *chunk) {
	q.unfinished = c.space[c.n-1] != '\n'
	if len(q.chunks) > 0 && c.n <= smallChunk {
		if last := q.chunks[len(q.chunks)-1]; c.n <= last.room() && last.shaped == c.shaped {
			last.n += copy(last.space[last.n:], c.bytes())
			q.memory.put(c)
			return
		}
	}
	q.chunks = append(q.chunks, c)
	q.held += len(c.space)
}

// pushText appends text, as the file has it where it is shaped.
func (q *queue) pushText(text string, shaped bool) {
	for len(text) > 0 {
		c := q.memory.get(len(text))
		c.read, c.shaped = time.Now(), shaped
		c.n = copy(c.space, text)
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
		q.held -= len(last.space)
		q.memory.put(last)
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
	q.pushText(fmt.Sprintf("recipe: %s %s\n", counted(q.dropped), q.to.reason()), false)
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
	if q.held >= q.bound+overdraft {
		q.count(1)
		return
	}
	q.sayDropped()
	q.finish()
	q.pushText(text+"\n", false)
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
		q.pushText("\n", false)
	}
}

// take hands the first chunk to the goroutine that delivers, and nil when that is to end. A disk that takes much at a time
// is forgiven for what it let the daemon wait.
func (q *queue) take() *chunk {
	if q.again {
		q.again = false
		return q.taken
	}
	q.delivered()
	if len(q.chunks) == 0 {
		q.patience = patience
		if q.dropping {
			q.recover()
		}
	}
	if len(q.chunks) == 0 {
		q.running, q.chunks = false, nil
		return nil
	}
	c := q.chunks[0]
	q.chunks = append(q.chunks[:0], q.chunks[1:]...)
	q.taken = c
	q.takenUnfinished = c.space[c.n-1] != '\n'
	q.patience = min(patience, q.patience+time.Duration(c.n)*time.Second/leastRate)
	return c
}

// delivered accounts for what was taken before.
func (q *queue) delivered() {
	if q.taken == nil {
		return
	}
	q.held -= len(q.taken.space)
	q.taken = nil
	q.wake()
}

// wake is for those who wait for room.
func (q *queue) wake() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}
