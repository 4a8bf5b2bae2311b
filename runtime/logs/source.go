package logs

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"
)

// A daemon whose reads find this much this often in a row gets a larger pipe: it goes on while we read.
const (
	heavyRead  = 32 << 10
	heavyReads = 8
	heavyPipe  = 256 << 10
)

// source is a descriptor that a log is read from. The log's reading guards it.
type source struct {
	log   *Log
	fd    int // -1 when it is read no more
	token int32
	heavy int8 // reads in a row that found much

	terminal bool
	seen     func([]byte) // of a terminal
	cut      bool         // the last read ended with a carriage return
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
	if s.heavy > 0 {
		size = largeChunk
	}
	c := l.collector.memory.get(size)
	kept := s.unreturn(c.space)
	n, err := unix.Read(s.fd, c.space[kept:])
	for err == unix.EINTR {
		n, err = unix.Read(s.fd, c.space[kept:])
	}
	if n <= 0 {
		l.collector.memory.put(c)
		if err != unix.EAGAIN {
			s.end()
		}
		return false
	}
	c.n, c.read = kept+n, time.Now()
	more = c.room() == 0
	s.weigh(n)
	if s.terminal {
		if s.seen != nil {
			s.seen(c.space[kept:c.n])
		}
		s.plain(c)
	}
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
		if s.heavy++; s.heavy == heavyReads && !s.terminal {
			unix.FcntlInt(uintptr(s.fd), unix.F_SETPIPE_SZ, heavyPipe) // refused beyond the user's share: it stays as it is
		}
	}
}

// unreturn puts back the carriage return that the last read of a terminal ended with, and returns how many bytes that is.
func (s *source) unreturn(space []byte) int {
	if !s.cut {
		return 0
	}
	space[0] = '\r'
	return 1
}

// plain makes of what came from a terminal what a pipe would have got: there a line ends with a carriage return and a
// newline.
func (s *source) plain(c *chunk) {
	if s.cut = c.space[c.n-1] == '\r'; s.cut {
		c.n--
	}
	out := c.space[:0]
	for p := c.bytes(); len(p) > 0; {
		end := bytes.Index(p, []byte("\r\n"))
		if end < 0 {
			out = append(out, p...)
			break
		}
		out = append(append(out, p[:end]...), '\n')
		p = p[end+2:]
	}
	c.n = len(out)
}
