package cli

import (
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
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unprintable(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

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
