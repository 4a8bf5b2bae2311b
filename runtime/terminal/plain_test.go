package terminal

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ written, logged string }{
		"lines":                    {"a\r\nb\n", "a\nb\n"},
		"a doubled return":         {"a\r\r\nb\r\n", "a\nb\n"},
		"colours":                  {"\x1b[1;31mred\x1b[m and \x1b[38:5:1mred\x1b[0m\n", "red and red\n"},
		"progress":                 {"10 %\r20 %\rdone\r\n", "10 %\n20 %\ndone\n"},
		"title":                    {"\x1b]0;title\aa\x1b]2;title\x1b\\b\n", "ab\n"},
		"device string":            {"\x1bP1$r0m\x1b\\a\n", "a\n"},
		"a string that is stopped": {"\x1b]0;tit\x1b[31mle\n", "le\n"},
		"a string without an end":  {"a\x1b]0;title\r\nb\r\n", "a\nb\n"},
		"a device string of lines": {"\x1bPq#0\r\n#1\x1b\\a\n", "a\n"},
		"cancelled":                {"\x1b[12\x18a\x1b]0\x1ab\n", "ab\n"},
		"moves to other lines":     {"\x1b[H\x1b[2Jone\x1b[2;1Htwo\x1b[3;5Hthree\n", "one\ntwo\nthree\n"},
		"moves within a line":      {"a\x1b[5Cb\x1b[20Gc\n", "a b c\n"},
		"a reset":                  {"a\x1bcb\n", "a\nb\n"},
		"charsets and keypads":     {"\x1b(0\x1b)B\x1b=a\x1b>\n", "a\n"},
		"bells and backspaces":     {"a\a\b\x00\x7fb\n", "ab\n"},
		"tabs":                     {"a\tb\n", "a\tb\n"},
		"controls in a sequence":   {"a\x1b[3\n1mb\n", "a\nb\n"},
		"other letters":            {"Grüße €\n", "Grüße €\n"},
		"controls of eight bits":   {"a\u009b31mb\n", "a31mb\n"},
		"what is not UTF-8":        {"a\xffb\x9b\xe2\x82c\n", "a\uFFFDb\uFFFD\uFFFDc\n"},
		"an end in a character":    {"a\xe2\x82", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			var p Plain
			if got := string(p.Append(nil, []byte(c.written))); got != c.logged {
				t.Errorf("%q is logged as %q, wanted %q", c.written, got, c.logged)
			}
		})
	}
}

// FuzzPlain holds that what is logged is harmless, and the same however it was cut.
func FuzzPlain(f *testing.F) {
	f.Add([]byte("a\x1b[1;31mb\r\n\x1b]0;t\a\u009b\xe2\x82\xac\xff"), uint8(3))
	f.Fuzz(func(t *testing.T, written []byte, cut uint8) {
		var whole, parts Plain
		want := whole.Append(nil, written)
		at := int(cut) % (len(written) + 1)
		got := parts.Append(parts.Append(nil, written[:at]), written[at:])
		if !bytes.Equal(want, got) {
			t.Errorf("%q, cut at %d, is %q and %q", written, at, want, got)
		}
		harmful := func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 }
		if !utf8.Valid(want) || bytes.ContainsFunc(want, harmful) {
			t.Errorf("%q is logged as %q", written, want)
		}
		if len(got) > 3*len(written) || len(parts.Append(nil, written)) > 3*len(written)+4 {
			t.Errorf("%q is logged as more than there is room for", written)
		}
	})
}
