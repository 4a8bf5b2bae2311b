package terminal

// Control characters.
const (
	bel = 0x07
	can = 0x18
	sub = 0x1a
	esc = 0x1b
	del = 0x7f
)

// sequence follows what is written through control sequences (ECMA-48): escape, control (CSI), and the strings of OSC, DCS and their like.
type sequence struct {
	state      state
	parameters []byte // of a control sequence, as far as they are kept
}

type state byte

const (
	ground state = iota
	escape
	escaped // with intermediates
	control
	text // of a string, up to BEL, ESC \ or a newline, which none has
	textEscape
	device // of a device control string, which may have lines
)

// mostParameters is longer than any sequence that means something here.
const mostParameters = 64

// next takes one byte. plain is set for one that is not part of a sequence. final is the last byte of a sequence that
// is over, csi whether it was a control sequence, whose parameters hold until the next call.
func (s *sequence) next(b byte) (plain bool, final byte, csi bool) {
	if b == can || b == sub {
		s.state = ground
		return false, 0, false
	}
	switch s.state {
	case ground:
		if b != esc {
			return true, 0, false
		}
		s.state = escape
	case escape:
		return false, s.begin(b), false
	case escaped:
		if b >= 0x30 && b < del {
			s.state = ground
		} else if b == esc {
			s.state = escape
		}
	case control:
		return s.within(b)
	case text, device:
		switch {
		case b == '\n' && s.state == text:
			s.state = ground
			return true, 0, false
		case b == bel:
			s.state = ground
		case b == esc:
			s.state = textEscape
		}
	case textEscape:
		if b == '\\' {
			s.state = ground
			break
		}
		s.state = escape
		return false, s.begin(b), false
	}
	return false, 0, false
}

// begin takes what follows an ESC, and returns it where that is all.
func (s *sequence) begin(b byte) (final byte) {
	switch {
	case b == '[':
		s.state, s.parameters = control, s.parameters[:0]
	case b == 'P':
		s.state = device
	case b == ']' || b == 'X' || b == '^' || b == '_':
		s.state = text
	case b >= 0x20 && b < 0x30:
		s.state = escaped
	case b >= 0x30 && b < del:
		s.state = ground
		return b
	case b != esc:
		s.state = ground // no sequence begins like this
	}
	return 0
}

// within takes a byte of a control sequence. Control characters work in the midst of one.
func (s *sequence) within(b byte) (plain bool, final byte, csi bool) {
	switch {
	case b == esc:
		s.state = escape
	case b < 0x20:
		return true, 0, false
	case b < 0x40:
		if len(s.parameters) < mostParameters {
			s.parameters = append(s.parameters, b)
		}
	case b < del:
		s.state = ground
		return false, b, true
	case b > del:
		s.state = ground
	}
	return false, 0, false
}
