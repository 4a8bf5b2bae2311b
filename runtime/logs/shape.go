package logs

import (
	"bytes"
	"time"
	"unicode/utf8"

	"recipe/runtime/plan"
)

const stamp = "2006-01-02T15:04:05.000Z" // UTC, as RFC 3339 has it

// shaper makes of a stream what a log file holds of it. The disk queue's goroutine alone has it. Lines are stamped with the
// time at which they were read from the daemon, not that at which the disk took them.
type shaper struct {
	service string
	format  plan.LogFormat // of the line that has been begun
	middle  bool           // of a line
	carry   []byte         // the start of a character that the stream was cut in
	out     []byte
}

// shape returns p itself where a line is what was written; otherwise a buffer that is valid until the next call.
func (s *shaper) shape(p []byte, limits plan.Logs, at time.Time) []byte {
	if !s.middle {
		s.format = limits.Format
	}
	plain := !limits.Timestamps && limits.Format == plan.LogText && s.format == plan.LogText
	if plain {
		s.middle = len(p) > 0 && p[len(p)-1] != '\n'
		return p
	}
	s.out = s.out[:0]
	for len(p) > 0 {
		if !s.middle {
			s.format = limits.Format
			s.begin(limits, at)
		}
		end := bytes.IndexByte(p, '\n')
		piece := p
		if end >= 0 {
			piece = p[:end]
		}
		s.text(piece)
		if s.middle = end < 0; s.middle {
			break
		}
		s.finish()
		p = p[end+1:]
	}
	return s.out
}

func (s *shaper) begin(limits plan.Logs, at time.Time) {
	switch {
	case s.format == plan.LogJSON:
		s.out = append(s.out, `{"time":"`...)
		s.out = at.UTC().AppendFormat(s.out, stamp)
		s.out = append(s.out, `","service":"`...)
		s.out = append(s.out, s.service...) // a name holds nothing that JSON escapes
		s.out = append(s.out, `","text":"`...)
	case limits.Timestamps:
		s.out = at.UTC().AppendFormat(s.out, stamp)
		s.out = append(s.out, ' ')
	}
}

func (s *shaper) finish() {
	if s.format == plan.LogJSON {
		if len(s.carry) > 0 {
			s.out = append(s.out, `\ufffd`...)
			s.carry = s.carry[:0]
		}
		s.out = append(s.out, '"', '}')
	}
	s.out = append(s.out, '\n')
}

func (s *shaper) text(p []byte) {
	if s.format != plan.LogJSON {
		s.out = append(s.out, p...)
		return
	}
	if len(s.carry) > 0 {
		p = append(s.carry, p...)
		s.carry = nil
	}
	for len(p) > 0 {
		if p[0] < utf8.RuneSelf {
			s.out = appendASCII(s.out, p[0])
			p = p[1:]
			continue
		}
		if !utf8.FullRune(p) {
			s.carry = append(s.carry, p...)
			return
		}
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			s.out = append(s.out, `\ufffd`...)
		} else {
			s.out = append(s.out, p[:n]...)
		}
		p = p[n:]
	}
}

const hexadecimal = "0123456789abcdef"

func appendASCII(out []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(out, '\\', c)
	case c == '\t':
		return append(out, '\\', 't')
	case c == '\r':
		return append(out, '\\', 'r')
	case c < ' ' || c == 0x7f:
		return append(out, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&15])
	}
	return append(out, c)
}
