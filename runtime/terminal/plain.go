package terminal

import (
	"strings"
	"unicode/utf8"
)

// Plain makes what was written on a terminal fit for a log: valid UTF-8 without control characters but newline and tab,
// and without sequences. A carriage return and a move to another line end a line, so that what a program draws comes in
// the order in which it was drawn.
type Plain struct {
	sequence sequence
	line     bool // something stands on it
	back     bool // a carriage return came, and nothing after it
	rune     []byte
}

// Append appends what p comes to. What is unfinished at its end is kept for the next call.
func (p *Plain) Append(to, from []byte) []byte {
	for _, b := range from {
		plain, final, csi := p.sequence.next(b)
		switch {
		case plain:
			to = p.take(to, b)
		case final != 0 && csi:
			to = p.moved(to, final)
		case strings.IndexByte("DEMc", final) >= 0: // another line, a reset
			to = p.newLine(to)
		}
	}
	return to
}

// broken appends what stands for an unfinished character.
func (p *Plain) broken(to []byte) []byte {
	p.rune = p.rune[:0]
	return p.put(to, string(utf8.RuneError))
}

// moved is what stands for a move of the cursor.
func (p *Plain) moved(to []byte, final byte) []byte {
	switch final {
	case 'A', 'B', 'E', 'F', 'H', 'J', 'd', 'f':
		return p.newLine(to)
	case 'C', 'G', '`':
		if p.line {
			return append(to, ' ')
		}
	}
	return to
}

func (p *Plain) take(to []byte, b byte) []byte {
	if len(p.rune) > 0 && (b < 0x80 || b >= 0xc0) {
		to = p.broken(to)
	}
	switch {
	case b == '\n':
		p.line, p.back = false, false
		return append(to, '\n')
	case b == '\v' || b == '\f':
		return p.newLine(to)
	case b == '\r':
		p.back = true
	case b == '\t':
		return p.put(to, "\t")
	case b < 0x20 || b == del:
	case b < 0x80:
		return p.put(to, string(rune(b)))
	default:
		p.rune = append(p.rune, b)
		if !utf8.FullRune(p.rune) {
			return to
		}
		r, size := utf8.DecodeRune(p.rune)
		rest := append([]byte(nil), p.rune[size:]...)
		p.rune = p.rune[:0]
		if r >= 0xa0 { // below are controls
			to = p.put(to, string(r))
		}
		for _, b := range rest {
			to = p.take(to, b)
		}
	}
	return to
}

func (p *Plain) put(to []byte, text string) []byte {
	if p.back {
		to = p.newLine(to)
	}
	p.line = true
	return append(to, text...)
}

func (p *Plain) newLine(to []byte) []byte {
	if p.line {
		to = append(to, '\n')
	}
	p.line, p.back = false, false
	return to
}
