package terminal

import (
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ keys, typed, input, detached string }{
		"one":                   {"ctrl-]", "ab\x1dcd", "ab", "yes"},
		"none pressed":          {"ctrl-]", "ab", "ab", ""},
		"two":                   {"ctrl-p,ctrl-q", "a\x10\x11", "a", "yes"},
		"the first alone":       {"ctrl-p,ctrl-q", "\x10a\x11", "\x10a\x11", ""},
		"the first twice":       {"ctrl-p,ctrl-q", "\x10\x10\x11", "\x10", "yes"},
		"held back at the end":  {"ctrl-p,ctrl-q", "a\x10", "a", ""},
		"a beginning in itself": {"a,a,b", "aaab", "a", "yes"},
		"a longer beginning":    {"a,b,a,b,c", "ababababc", "abab", "yes"},
		"letters":               {"~,.", "x~y~.", "x~y", "yes"},
		"a capital control":     {"Ctrl-P", "\x10", "", "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := ParseKeys(c.keys)
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range []int{1, len(c.typed)} {
				w := Watch{Keys: keys}
				var input, detached string
				for typed := c.typed; typed != "" && detached == ""; typed = typed[size:] {
					part, detach := w.Typed([]byte(typed[:size]))
					if input += string(part); detach {
						detached = "yes"
					}
				}
				if input != c.input || detached != c.detached {
					t.Errorf("%q, %d at a time: %q reaches the daemon, detached %q; wanted %q and %q", c.typed, size, input, detached, c.input, c.detached)
				}
			}
		})
	}
	for _, text := range []string{"", "ctrl-", "ctrl-1", "ctrl-pp", "a,,b", "ab", "ä", " ", "\x10"} {
		if keys, err := ParseKeys(text); err == nil {
			t.Errorf("%q is %q", text, keys)
		}
	}
}

// FuzzWatch holds that nothing that is typed is lost but the keys, and those once.
func FuzzWatch(f *testing.F) {
	f.Add("a,b,a", "abaxababa")
	f.Fuzz(func(t *testing.T, text, typed string) {
		keys, err := ParseKeys(text)
		if err != nil {
			return
		}
		w := Watch{Keys: keys}
		input, detached := w.Typed([]byte(typed))
		at := strings.Index(typed, string(keys))
		switch {
		case detached && at < 0, !detached && at >= 0:
			t.Errorf("%q in %q: detached %t", keys, typed, detached)
		case detached && string(input) != typed[:at]:
			t.Errorf("%q in %q: %q reaches the daemon", keys, typed, input)
		case !detached && string(input)+string(keys[:w.seen]) != typed:
			t.Errorf("%q in %q: %q reaches the daemon, and %d keys are held back", keys, typed, input, w.seen)
		}
	})
}
