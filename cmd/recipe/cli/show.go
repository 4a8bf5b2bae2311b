package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// mostPrintable is twice what the longest line of a flags file has, in bytes.
const mostPrintable = 32 << 10

// printable makes text of elsewhere fit for a terminal's line, which is bounded and valid UTF-8: what does not print is
// escaped.
func printable(text string) string {
	if len(text) > mostPrintable {
		kept := mostPrintable
		for kept > 0 && !utf8.RuneStart(text[kept]) {
			kept--
		}
		text = fmt.Sprintf("%s... (%d bytes more)", text[:kept], len(text)-kept)
	}
	shown, rest := escape(nil, []byte(text), "")
	if len(rest) > 0 {
		shown = utf8.AppendRune(shown, utf8.RuneError)
	}
	return string(shown)
}

// escape appends text, with what neither prints nor is kept escaped, and returns the start of a character that it ends in.
func escape(to, text []byte, kept string) (shown, rest []byte) {
	for len(text) > 0 {
		if !utf8.FullRune(text) {
			return to, text
		}
		r, size := utf8.DecodeRune(text)
		if unprintable(r) && !strings.ContainsRune(kept, r) {
			to = fmt.Appendf(to, `\u%04x`, r)
		} else {
			to = utf8.AppendRune(to, r)
		}
		text = text[size:]
	}
	return to, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// ofOutput is what is kept of control characters in a daemon's output.
const ofOutput = "\n\t"

// outputTo is where a daemon's output is shown: escaped on a terminal, which would obey it, and byte for byte elsewhere.
func outputTo(out io.Writer) io.Writer {
	if terminalOf(out) == nil {
		return out
	}
	return &escaped{to: out}
}

type escaped struct {
	to   io.Writer
	rest []byte // the start of a character
}

func (e *escaped) Write(p []byte) (int, error) {
	shown, rest := escape(nil, append(e.rest, p...), ofOutput)
	e.rest = bytes.Clone(rest)
	if _, err := e.to.Write(shown); err != nil {
		return 0, err
	}
	return len(p), nil
}

// printJSON writes v with two spaces of indentation and a last newline.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// span shows a duration with its two largest units: 350ms, 4s, 3m12s, 5h4m, 12d3h.
func span(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Truncate(time.Millisecond).String()
	case d < time.Hour:
		return d.Truncate(time.Second).String()
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
}
