package terminal

import (
	"fmt"
	"strings"
)

// Keys are pressed one after another to detach. None of them reaches the daemon then; a beginning that goes on otherwise
// does.
type Keys []byte

// ParseKeys reads "ctrl-p,ctrl-q", or "ctrl-]": printable ASCII characters, or ctrl- and one of a to z, @, [, \, ], ^ and _.
func ParseKeys(text string) (Keys, error) {
	var keys Keys
	for word := range strings.SplitSeq(text, ",") {
		key, control := strings.CutPrefix(strings.ToLower(word), "ctrl-")
		switch {
		case control && len(key) == 1 && (key[0] >= 'a' && key[0] <= 'z' || strings.Contains(`@[\]^_`, key)):
			keys = append(keys, key[0]&0x1f)
		case !control && len(word) == 1 && word[0] > ' ' && word[0] < del:
			keys = append(keys, word[0])
		default:
			return nil, fmt.Errorf("%q is no key: give characters, or ctrl- and a letter or one of @[\\]^_, with commas between them, as in ctrl-p,ctrl-q", word)
		}
	}
	return keys, nil
}

// Watch looks for keys in what is typed.
type Watch struct {
	Keys Keys
	seen int // how many of them were pressed, and held back
}

// Typed returns what is for the daemon, and whether the keys to detach came; what follows those is dropped.
func (w *Watch) Typed(p []byte) (input []byte, detach bool) {
	for _, b := range p {
		for w.seen > 0 && b != w.Keys[w.seen] {
			still := w.overlap()
			input = append(input, w.Keys[:w.seen-still]...)
			w.seen = still
		}
		if len(w.Keys) == 0 || b != w.Keys[w.seen] {
			input = append(input, b)
			continue
		}
		if w.seen++; w.seen == len(w.Keys) {
			w.seen = 0
			return input, true
		}
	}
	return input, false
}

// overlap is how many keys still count when the first of those that were pressed was none of them.
func (w *Watch) overlap() int {
	for from := 1; from < w.seen; from++ {
		if string(w.Keys[from:w.seen]) == string(w.Keys[:w.seen-from]) {
			return w.seen - from
		}
	}
	return 0
}
