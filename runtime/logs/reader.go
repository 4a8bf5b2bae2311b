package logs

import (
	"fmt"
	"time"

	"recipe/runtime/plan"
)

// take hands what was read to the queues. reading is held.
func (l *Log) take(c *chunk, force bool) {
	if c.n == 0 {
		l.collector.memory.put(c)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words.hear(c.bytes())
	if l.seek != nil {
		l.seek.deliver(c)
	}
	if l.tee != nil {
		l.tee.offer(l.collector.memory.copy(c), force)
		l.run(l.tee)
	}
	l.keep(c, force)
	l.run(&l.disk)
}

// keep hands to the disk what the rate admits of a chunk.
func (l *Log) keep(c *chunk, force bool) {
	if l.limits.Rate > 0 {
		if l.rate == nil {
			l.rate = &rate{}
		}
		l.say(l.rate.admit(c, l.limits, c.read))
	}
	if c.n == 0 {
		l.collector.memory.put(c)
		return
	}
	if l.forward != nil {
		l.forward.offer(l.collector.memory.copy(c), force)
		l.run(l.forward)
	}
	l.disk.offer(c, force)
}

// say accounts, where they would have been, for lines that the rate did not admit.
func (l *Log) say(dropped int64) {
	if dropped > 0 {
		text := fmt.Sprintf("recipe: %s dropped: more than %d a second", counted(dropped), l.limits.Rate)
		l.disk.note(text)
		if l.forward != nil {
			l.forward.note(text)
		}
	}
}

// each calls f for the queues that there are, with mu held.
func (l *Log) each(f func(*queue)) {
	for _, q := range []*queue{&l.disk, l.tee, l.forward} {
		if q != nil {
			f(q)
			l.run(q)
		}
	}
}

// withPipe reads what is there, of each source at most as much as a pipe holds, and calls f before anything else is read,
// with mu held. It does nothing after Close.
func (l *Log) withPipe(f func()) {
	l.reading.Lock()
	defer l.reading.Unlock()
	if l.closing.Load() {
		return
	}
	l.pipe.empty()
	for _, s := range l.terminals {
		s.empty()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// empty moves what is there now, and at most as much as a pipe holds.
func (s *source) empty() {
	for range heavyPipe / smallChunk {
		if !s.move(true) {
			return
		}
	}
}

// awaitRoom holds the daemon back, by not reading, while a queue is full and has patience left. False means that the
// log is being closed.
func (l *Log) awaitRoom() bool {
	for !l.closing.Load() {
		q, room := l.fullQueue()
		if q == nil {
			return true
		}
		start := time.Now()
		timer := time.NewTimer(patience)
		select {
		case <-room:
		case <-timer.C:
		}
		timer.Stop()
		l.mu.Lock()
		q.patience -= time.Since(start)
		l.mu.Unlock()
	}
	return false
}

func (l *Log) isFull() bool {
	q, _ := l.fullQueue()
	return q != nil
}

// fullQueue is one that the daemon is held back for, and what is closed when it has room again.
func (l *Log) fullQueue() (*queue, chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range []*queue{&l.disk, l.tee, l.forward} {
		if q != nil && q.full() && !q.dropping && q.patience > 0 {
			if q.room == nil {
				q.room = make(chan struct{})
			}
			return q, q.room
		}
	}
	return nil, nil
}

// run has the queue emptied when there is something in it. mu is held.
func (l *Log) run(q *queue) {
	if !q.running && len(q.chunks) > 0 {
		q.running = true
		q.crew.add(job{l, q})
	}
}

// empty delivers what is in the queue, and reports whether there is more of it than is due to a log at once. What cannot
// be delivered now is tried again later.
func (l *Log) empty(q *queue) (more bool) {
	for done := 0; done < turn; {
		l.mu.Lock()
		c := q.take()
		if c == nil {
			l.emptied(q)
		}
		l.mu.Unlock()
		if c == nil {
			return false
		}
		done += c.n
		if !q.to.deliver(c) {
			l.later(q)
			return false
		}
		l.collector.memory.put(c)
	}
	return true
}

// later tries again after a pause, or when the log is closed.
func (l *Log) later(q *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q.pausing, q.again = true, true
	if l.closing.Load() {
		l.hasten(q)
		return
	}
	time.AfterFunc(retryEvery, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.hasten(q)
	})
}

// hasten ends a pause. mu is held.
func (l *Log) hasten(q *queue) {
	if q.pausing {
		q.pausing = false
		q.crew.add(job{l, q})
	}
}

// emptied tells those who wait for that. mu is held.
func (l *Log) emptied(q *queue) {
	if l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
	if q != &l.disk {
		return
	}
	l.trouble, l.resting = "", false
	if l.shaper != nil {
		l.shaper.out = nil
	}
	if !l.listed {
		l.listed = true
		l.collector.used(l)
	}
}

// deliver writes to the file, however long that takes, and reports whether all was written; a log that is being closed
// gives up what was not.
func (l *Log) deliver(c *chunk) (done bool) {
	l.mu.Lock()
	limits, p := l.limits, l.pending
	l.mu.Unlock()
	if p == nil {
		p = l.shape(c, limits)
	}
	last := l.closing.Load()
	l.mu.Lock()
	l.pending = p
	l.mu.Unlock()
	n, err := l.file.append(p, limits)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = p[n:]
	l.bytes += int64(n)
	l.fails(err)
	if last {
		l.unsaved = append(l.unsaved, l.pending...)
	}
	if done = last || n == len(p); done {
		l.pending = nil
	}
	return done
}

// shape makes of a chunk what the file holds of it.
func (l *Log) shape(c *chunk, limits plan.Logs) []byte {
	if c.shaped {
		return c.bytes()
	}
	if l.shaper == nil {
		if !limits.Timestamps && limits.Format == plan.LogText {
			return c.bytes()
		}
		l.shaper = &shaper{service: l.service, middle: l.file.line > 0}
	}
	return l.shaper.shape(c.bytes(), limits, c.read)
}

// rest closes the file when nothing was written since it was last called, and reports whether it is closed.
func (l *Log) rest() bool {
	l.mu.Lock()
	if l.disk.running || !l.resting && !l.closing.Load() {
		l.resting = true
		l.mu.Unlock()
		return false
	}
	f := l.file.f
	l.file.f, l.listed = nil, false
	l.mu.Unlock()
	if f != nil {
		f.Close() // which a file server may take its time for
	}
	return true
}

// fails keeps the error of a write, and says the first of a row on the tee, where somebody may be looking. mu is held.
func (l *Log) fails(err error) {
	if err != nil {
		l.trouble = err.Error()
		if l.err == nil && l.tee != nil {
			l.tee.note("recipe: " + l.trouble)
			l.run(l.tee)
		}
	}
	l.err = err
}

func (l *Log) reason() string {
	if l.trouble != "" {
		return "dropped: " + l.trouble
	}
	return "dropped: the disk did not keep up"
}
