package terminal

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Modes are what sequences have made of a terminal, as far as it can be seen in what was written: its private modes (the
// other screen, the mouse, the cursor's keys ...), its keypad, the lines that scroll, and whether what comes next would be coloured. The zero value is a terminal
// that was switched on just now.
type Modes struct {
	sequence sequence
	changed  map[int]bool // private modes that are not as at first, and how they are
	keypad   bool
	coloured bool
	scrolls  string // the first and the last line, "" for all
}

// mostModes bounds what somebody who sends nonsense can have kept.
const mostModes = 64

// Take follows what is written.
func (m *Modes) Take(p []byte) {
	for _, b := range p {
		_, final, csi := m.sequence.next(b)
		switch {
		case csi:
			m.set(final)
		case final == '=' || final == '>':
			m.keypad = final == '='
		case final == 'c':
			*m = Modes{}
		}
	}
}

func (m *Modes) set(final byte) {
	parameters := m.sequence.parameters
	private, isPrivate := bytes.CutPrefix(parameters, []byte("?"))
	switch {
	case final == 'm' && !isPrivate:
		m.coloured = len(bytes.Trim(parameters, "0;")) > 0
	case final == 'r' && !isPrivate && onlyNumbers(parameters):
		m.scrolls = string(parameters)
	case isPrivate && (final == 'h' || final == 'l'):
		for _, word := range bytes.Split(private, []byte(";")) {
			mode, err := strconv.Atoi(string(word))
			switch {
			case err != nil || mode <= 0:
			case (final == 'h') == atFirst(mode):
				delete(m.changed, mode)
			case len(m.changed) < mostModes:
				if m.changed == nil {
					m.changed = map[int]bool{}
				}
				m.changed[mode] = final == 'h'
			}
		}
	}
}

func onlyNumbers(p []byte) bool {
	return !bytes.ContainsFunc(p, func(r rune) bool { return (r < '0' || r > '9') && r != ';' })
}

// atFirst reports whether a terminal has the mode when it is switched on: it wraps lines, and shows its cursor.
func atFirst(mode int) bool { return mode == 7 || mode == 25 }

// Set is what brings a terminal that was switched on just now into these modes.
func (m *Modes) Set() []byte {
	var b []byte
	for _, mode := range slices.Sorted(maps.Keys(m.changed)) {
		b = private(b, mode, m.changed[mode])
	}
	if m.scrolls != "" {
		b = fmt.Appendf(b, "\x1b[%sr", m.scrolls)
	}
	if m.keypad {
		b = append(b, "\x1b="...)
	}
	return b
}

// Reset is what takes them back.
func (m *Modes) Reset() []byte {
	var b []byte
	if m.coloured {
		b = append(b, "\x1b[m"...)
	}
	if m.scrolls != "" {
		b = append(b, "\x1b[r"...) // before the other screen is left, by which the cursor comes back
	}
	for _, mode := range slices.Sorted(maps.Keys(m.changed)) {
		b = private(b, mode, !m.changed[mode])
	}
	if m.keypad {
		b = append(b, "\x1b>"...)
	}
	return b
}

func private(b []byte, mode int, on bool) []byte {
	final := byte('l')
	if on {
		final = 'h'
	}
	return append(fmt.Appendf(b, "\x1b[?%d", mode), final)
}
