package terminal

import "testing"

func TestModes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ written, set, reset string }{
		"nothing":              {"hello\r\n", "", ""},
		"another screen":       {"\x1b[?1049h\x1b[?25l", "\x1b[?25l\x1b[?1049h", "\x1b[?25h\x1b[?1049l"},
		"there and back":       {"\x1b[?1049h\x1b[?25l\x1b[?25h\x1b[?1049l", "", ""},
		"several at once":      {"\x1b[?1000;1006h", "\x1b[?1000h\x1b[?1006h", "\x1b[?1000l\x1b[?1006l"},
		"colours":              {"\x1b[31m", "", "\x1b[m"},
		"colours taken back":   {"\x1b[31mred\x1b[0m", "", ""},
		"keypad":               {"\x1b=", "\x1b=", "\x1b>"},
		"lines that scroll":    {"\x1b[2;20r", "\x1b[2;20r", "\x1b[r"},
		"all lines scroll":     {"\x1b[2;20r\x1b[r", "", ""},
		"a reset":              {"\x1b[?1049h\x1b[31m\x1bc", "", ""},
		"what is no mode":      {"\x1b[?h\x1b[?xh\x1b[4h\x1b[?-1h\x1b[>1r", "", ""},
		"a sequence in pieces": {"\x1b[?10\x1b[?2004h", "\x1b[?2004h", "\x1b[?2004l"},
	} {
		t.Run(name, func(t *testing.T) {
			var m Modes
			m.Take([]byte(c.written))
			if got := string(m.Set()); got != c.set {
				t.Errorf("%q is set by %q, wanted %q", c.written, got, c.set)
			}
			if got := string(m.Reset()); got != c.reset {
				t.Errorf("%q is taken back by %q, wanted %q", c.written, got, c.reset)
			}
		})
	}
}

// FuzzModes holds that modes which were set and taken back are those of a terminal that was switched on just now.
func FuzzModes(f *testing.F) {
	f.Add([]byte("\x1b[?1049h\x1b[2;20r\x1b[31m\x1b=\x1b[?25l"))
	f.Fuzz(func(t *testing.T, written []byte) {
		var m Modes
		m.Take(written)
		set := m.Set()
		var again Modes
		again.Take(set)
		if string(again.Set()) != string(set) {
			t.Errorf("%q is set by %q, which sets %q", written, set, again.Set())
		}
		again.coloured = m.coloured
		again.Take(m.Reset())
		if left := append(again.Set(), again.Reset()...); len(left) > 0 {
			t.Errorf("%q leaves %q", written, left)
		}
	})
}
