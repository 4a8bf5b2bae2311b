package logs

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A daemon that fills this many chunks in a row gets a larger pipe, which halves its waits for us.
const (
	heavyReads = 32
	heavyPipe  = 256 << 10
)

// capture is the reader's goroutine: parked in the runtime's poller, without a buffer, while the daemon is silent.
func (l *Log) capture() {
	defer close(l.ended)
	conn, err := l.read.SyscallConn()
	if err != nil {
		return // closed already
	}
	// A read that does not fill a chunk has emptied the pipe, and whatever comes after it wakes the poller.
	conn.Read(func(fd uintptr) bool {
		for l.awaitRoom() {
			l.mu.Lock()
			n := l.pump(int(fd), false)
			l.mu.Unlock()
			if n < chunkSize {
				return false
			}
		}
		return true
	})
}

// pump moves up to a chunk from the pipe to the queues and returns how much it was. mu is held, so that whoever empties
// the pipe does not overtake the reader.
func (l *Log) pump(fd int, force bool) int {
	c := pool.get()
	n, err := unix.Read(fd, c.space[:])
	for err == unix.EINTR {
		n, err = unix.Read(fd, c.space[:])
	}
	if n <= 0 {
		pool.put(c)
		return 0
	}
	c.n, c.read = n, time.Now()
	l.enlarge(fd, n)
	if l.tee != nil {
		l.tee.offer(c.clone(), force)
		l.start(l.tee)
	}
	l.keep(c, force)
	l.start(&l.disk)
	return n
}

// keep hands to the disk what the rate admits of a chunk.
func (l *Log) keep(c *chunk, force bool) {
	if l.limits.Rate > 0 {
		l.say(l.rate.admit(c, l.limits, c.read))
	}
	if c.n == 0 {
		pool.put(c)
		return
	}
	l.disk.offer(c, force)
}

// say accounts, where they would have been, for lines that the rate did not admit.
func (l *Log) say(dropped int64) {
	if dropped > 0 {
		l.disk.note(fmt.Sprintf("recipe: %s dropped: more than %d a second", counted(dropped), l.limits.Rate))
	}
}

func (l *Log) enlarge(fd, n int) {
	switch {
	case l.fullReads >= heavyReads:
		return
	case n < chunkSize:
		l.fullReads = 0
		return
	}
	if l.fullReads++; l.fullReads == heavyReads {
		unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, heavyPipe) // refused beyond the user's share: it stays as it is
	}
}

// withPipe reads what is in the pipe, at most as much as a pipe holds, and calls f before anything else is read. It does
// nothing after Close.
func (l *Log) withPipe(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosing() {
		return
	}
	if conn, err := l.read.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) {
			for range heavyPipe / chunkSize {
				if l.pump(int(fd), true) < chunkSize {
					break
				}
			}
		})
	}
	f()
}

// awaitRoom holds the daemon back, by not reading, while a queue is full and has patience left. False means that the
// log is being closed.
func (l *Log) awaitRoom() bool {
	for _, q := range []*queue{&l.disk, l.tee} {
		for q != nil && l.holdBack(q) {
			start := time.Now()
			timer := time.NewTimer(patience)
			select {
			case <-q.room:
			case <-timer.C:
			case <-l.closing:
				timer.Stop()
				return false
			}
			timer.Stop()
			l.mu.Lock()
			q.patience -= time.Since(start)
			l.mu.Unlock()
		}
	}
	return true
}

func (l *Log) holdBack(q *queue) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return q.full() && !q.dropping && q.patience > 0
}

// start runs the queue's goroutine when there is something for it. mu is held.
func (l *Log) start(q *queue) {
	if !q.running && len(q.chunks) > 0 {
		q.running = true
		go l.empty(q)
	}
}

// empty delivers until the queue is empty.
func (l *Log) empty(q *queue) {
	for {
		l.mu.Lock()
		c := q.take()
		if c == nil && l.idle != nil {
			close(l.idle)
			l.idle = nil
		}
		if c == nil && q == &l.disk {
			l.trouble = ""
		}
		l.mu.Unlock()
		if c == nil {
			return
		}
		q.deliver(c.bytes())
		pool.put(c)
	}
}

// store writes to the file, however long that takes; a log that is being closed tries once more and gives up.
func (l *Log) store(p []byte) {
	for shaped := false; ; {
		last := l.isClosing()
		l.mu.Lock()
		limits := l.limits
		l.mu.Unlock()
		if !shaped {
			p, shaped = l.shaper.shape(p, limits, l.disk.takenAt), true
		}
		n, err := l.file.append(p, limits)
		p = p[n:]
		l.mu.Lock()
		l.bytes += int64(n)
		l.fails(err)
		if last {
			l.unsaved += len(p)
		}
		l.mu.Unlock()
		if last || len(p) == 0 {
			return
		}
		select {
		case <-time.After(retryEvery):
		case <-l.closing:
		}
	}
}

func (l *Log) isClosing() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// fails keeps the error of a write, and says the first of a row on the tee, where somebody may be looking. mu is held.
func (l *Log) fails(err error) {
	if err != nil {
		l.trouble = err.Error()
		if l.err == nil && l.tee != nil {
			l.tee.note("recipe: " + l.trouble)
			l.start(l.tee)
		}
	}
	l.err = err
}

func (l *Log) whyDropped() string {
	if l.trouble != "" {
		return "dropped: " + l.trouble
	}
	return "dropped: the disk did not keep up"
}
