package logs

import "bytes"

// splitter makes lines of a stream, for the tee.
type splitter struct {
	emit func(line []byte)
	rest []byte
}

func (s *splitter) deliver(c *chunk) (done bool) {
	p := c.bytes()
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		if len(s.rest) > 0 {
			s.emit(append(s.rest, p[:end]...))
			s.rest = nil
		} else {
			s.emit(p[:end])
		}
		p = p[end+1:]
	}
	if s.rest = append(s.rest, p...); len(s.rest) >= longLine {
		s.emit(s.rest)
		s.rest = nil
	}
	return true
}

func (s *splitter) reason() string { return "not shown: the terminal did not keep up" }
