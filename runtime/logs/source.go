package logs

import (
	"time"

	"golang.org/x/sys/unix"
)

// A daemon whose reads find this much this often in a row gets a larger pipe: it goes on while we read.
const (
	heavyRead  = 32 << 10
	heavyReads = 8
	heavyPipe  = 256 << 10
)

// terminalRead is how much of a terminal is read at once: what the kernel has ready, and a quarter of a chunk, so that there is
// room for what becomes of it.
const terminalRead = smallChunk / 4

// source is a descriptor that a log is read from. The log's reading guards it.
type source struct {
	log   *Log
	fd    int // -1 when it is read no more
	token int32
	heavy int8 // reads in a row that found much

	take func(to, read []byte) []byte // of a terminal: appends what is for the log
}

// ready reads once. It is called by the collector's goroutine, which never waits.
func (s *source) ready() {
	if s.log.isFull() || s.read(false) {
		s.log.collector.listen(s, false)
		go s.readOn()
	}
}

// readOn reads until there is nothing for now. It waits where the daemon is held back.
func (s *source) readOn() {
	for s.log.awaitRoom() {
		if !s.read(false) {
			s.log.reading.Lock()
			if s.fd >= 0 {
				s.log.collector.listen(s, true)
			}
			s.log.reading.Unlock()
			return
		}
	}
}

func (s *source) read(force bool) (more bool) {
	s.log.reading.Lock()
	defer s.log.reading.Unlock()
	return s.move(force)
}

// move moves up to a chunk from the descriptor to the queues, and reports whether that was one. reading is held, so that
// whoever empties the pipe does not overtake the reader.
func (s *source) move(force bool) (more bool) {
	if s.fd < 0 {
		return false
	}
	l := s.log
	size := smallChunk
	if s.heavy > 0 && !l.collector.memory.tight() {
		size = largeChunk
	}
	c := l.collector.memory.get(size)
	space := c.space
	if s.take != nil {
		space = space[len(space)-terminalRead:]
	}
	n, err := unix.Read(s.fd, space)
	for err == unix.EINTR {
		n, err = unix.Read(s.fd, space)
	}
	if n <= 0 {
		l.collector.memory.put(c)
		if err != unix.EAGAIN {
			s.end()
		}
		return false
	}
	c.n, c.read = n, time.Now()
	if s.take != nil {
		c.n = len(s.take(c.space[:0], space[:n]))
		l.take(c, force)
		return force // a terminal gives less than it has
	}
	more = c.room() == 0
	s.weigh(n)
	l.take(c, force)
	return more
}

// end is that of a terminal whose other side is closed.
func (s *source) end() {
	s.log.collector.remove(s)
	s.fd = -1
}

// weigh finds out who has much to say.
func (s *source) weigh(n int) {
	switch {
	case n < smallChunk:
		s.heavy = 0
	case s.heavy == 0:
		s.heavy = 1
	case n >= heavyRead && s.heavy < heavyReads:
		if s.heavy++; s.heavy == heavyReads {
			unix.FcntlInt(uintptr(s.fd), unix.F_SETPIPE_SZ, heavyPipe) // refused beyond the user's share: it stays as it is
		}
	}
}
