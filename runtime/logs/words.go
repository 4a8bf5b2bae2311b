package logs

import (
	"bytes"
	"strings"
	"unicode"
)

// Bounds of what is kept of an incarnation's last words: bytes, and lines of them.
const (
	mostWords = 512
	mostLines = 5
)

// words are the end of what an incarnation has said so far.
type words []byte

func (w *words) hear(p []byte) {
	if len(p) >= mostWords {
		*w = append((*w)[:0], p[len(p)-mostWords:]...)
		return
	}
	if over := len(*w) + len(p) - mostWords; over > 0 {
		*w = append((*w)[:0], (*w)[over:]...)
	}
	*w = append(*w, p...)
}

// lines are the last of them, printable, without empty ones, the oldest first. One whose start is gone begins with "...".
func (w words) lines() []string {
	text := []byte(w)
	cut := len(w) == mostWords
	if first := bytes.IndexByte(text, '\n'); cut && first >= 0 && len(bytes.TrimSpace(text[first:])) > 0 {
		text, cut = text[first+1:], false
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		if line = spoken(line); line == "" {
			continue
		}
		if cut {
			line = "..." + line
		}
		cut = false
		list = append(list, line)
	}
	return list[max(0, len(list)-mostLines):]
}

// spoken is a line without what a terminal would obey.
func spoken(line string) string {
	line = strings.TrimRightFunc(strings.ToValidUTF8(line, "?"), unicode.IsSpace)
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, line)
}

// LastWords are the last lines that the incarnation has written so far, five and 512 bytes at most, printable, the oldest
// first. What it wrote before its death is among them as soon as that is known. ForgetWords begins anew.
func (l *Log) LastWords() (lines []string) {
	l.withPipe(func() { lines = l.words.lines() })
	return lines
}

// ForgetWords is for a new incarnation.
func (l *Log) ForgetWords() {
	l.withPipe(func() { l.words = l.words[:0] })
}
