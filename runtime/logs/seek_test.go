package logs

import (
	"slices"
	"sync"
	"testing"

	"recipe/runtime/plan"
)

// TestSeekSeesLinesUntilItHasEnough: what was written before is not seen, nor anything behind what was sought.
func TestSeekSeesLinesUntilItHasEnough(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir(), plan.DefaultLogs(), nil)
	write := func(text string) {
		if _, err := l.Writer().WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("ready, says the last incarnation\n")
	var mu sync.Mutex
	var seen []string
	l.Seek(func(line []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, string(line))
		return string(line) == "ready"
	})
	for _, piece := range []string{"star", "ting\nrea", "dy\nand on\n", "more\n"} {
		write(piece)
	}
	if err := l.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if want := []string{"starting", "ready"}; !slices.Equal(seen, want) {
		t.Errorf("it saw %q, wanted %q", seen, want)
	}
	mu.Unlock()
	if l.seek != nil {
		t.Error("somebody looks on")
	}
}
