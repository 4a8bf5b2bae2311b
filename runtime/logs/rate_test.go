package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"recipe/runtime/plan"
)

// TestRate is a conversation with the limiter: what comes when, how much of it is let in, and what is said before that.
func TestRate(t *testing.T) {
	t.Parallel()
	limits := plan.Logs{Rate: 10, Burst: 3}
	now := time.Unix(1000, 0)
	var r rate
	for i, step := range []struct {
		after time.Duration
		text  string
		want  string
		said  int64
	}{
		{0, "1\n2\n", "1\n2\n", 0},
		{0, "3\n4\n5\n6", "3\n", 0},
		{0, " goes on", "", 0},
		{0, " to here\n7\n", "", 0},
		{100 * time.Millisecond, "8\n9\n", "8\n", 4},
		{time.Hour, "10\n11 begins", "10\n11 begins", 1},
		{0, " and goes on\n12\n13\n", " and goes on\n12\n", 0},
		{time.Hour, "14\n", "14\n", 1},
		{time.Hour, "15\n16\n17\n18\n", "15\n16\n17\n", 0},
	} {
		now = now.Add(step.after)
		c := &chunk{space: make([]byte, smallChunk)}
		c.n = copy(c.space, step.text)
		said := r.admit(c, limits, now)
		if got := string(c.bytes()); got != step.want || said != step.said {
			t.Errorf("step %d: %q after %d, wanted %q after %d", i, got, said, step.want, step.said)
		}
	}
	if r.lost != 7 || r.end() != 1 || r.end() != 0 {
		t.Errorf("%d lines were lost", r.lost)
	}
}

// TestRateIsSaid: lines beyond the rate are in no file, but their number is, at the latest when the incarnation ends.
func TestRateIsSaid(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.Logs{Size: 1 << 20, Keep: 1, Rate: 1, Burst: 5}, nil)
	say(t, l, "seq 1000")
	l.EndIncarnation()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	text := whole(t, dir)
	if !strings.HasPrefix(text, "1\n2\n3\n4\n5\n") {
		t.Errorf("the burst is not there: %q", text)
	}
	kept, dropped := 0, 0
	for line := range strings.Lines(text) {
		var n int
		if _, err := fmt.Sscanf(line, "recipe: %d line", &n); err == nil {
			if !strings.HasSuffix(line, "dropped: more than 1 a second\n") {
				t.Errorf("the reason is %q", line)
			}
			dropped += n
		} else {
			kept++
		}
	}
	if kept+dropped != 1000 || l.Stats().Dropped != int64(dropped) {
		t.Errorf("%d lines kept, %d said to be dropped, %d counted", kept, dropped, l.Stats().Dropped)
	}
}
