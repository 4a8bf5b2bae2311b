package logs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/plan"
)

type credential = syscall.Credential

func start(t testing.TB, limits plan.Logs, tee func([]byte)) (*Log, string) {
	dir := filepath.Join(t.TempDir(), "logs")
	return open(t, dir, limits, tee), dir
}

func open(t testing.TB, dir string, limits plan.Logs, tee func([]byte)) *Log {
	t.Helper()
	l, err := collector(t).Open(dir, "foo", limits, tee)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func collector(t testing.TB) *Collector {
	t.Helper()
	c, err := NewCollector()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// say runs a script as an incarnation.
func say(t *testing.T, l *Log, script string) {
	t.Helper()
	command := exec.Command("/bin/sh", "-c", script)
	command.Stdout, command.Stderr = l.Writer(), l.Writer()
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
}

// gate keeps a queue's consumer from delivering until the channel is closed.
func gate(l *Log, q *queue) chan struct{} {
	open := make(chan struct{})
	l.mu.Lock()
	defer l.mu.Unlock()
	q.to = gated{q.to, open}
	return open
}

type gated struct {
	consumer
	open chan struct{}
}

func (g gated) deliver(c *chunk) bool {
	<-g.open
	return g.consumer.deliver(c)
}

// line is the n-th of a flood; a few are longer than a chunk.
func line(n int) string {
	length := n % 150
	if n%20000 == 19999 {
		length = 150 << 10
	}
	return fmt.Sprintf("line %d %s\n", n, strings.Repeat("-", length))
}

// flood writes numbered lines, fails when that is held back longer than limit, and returns how many there were.
func flood(t *testing.T, l *Log, bytes int, limit time.Duration) int {
	t.Helper()
	var took time.Duration
	lines := 0
	for written := 0; written < bytes; {
		var text strings.Builder
		for text.Len() < 50<<10 {
			text.WriteString(line(lines))
			lines++
		}
		began := time.Now()
		n, err := io.WriteString(l.Writer(), text.String())
		took += time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		written += n
	}
	if took > limit {
		t.Errorf("the daemon was held back for %v", took)
	}
	return lines
}

// accounted checks that every numbered line is there whole, or within the count of a line that says why it is not.
func accounted(t *testing.T, text string, lines int, reason string) {
	t.Helper()
	next := 0
	for found := range strings.Lines(withoutStarts([]byte(text))) {
		var dropped int
		if _, err := fmt.Sscanf(found, "recipe: %d line", &dropped); err == nil {
			if !strings.HasSuffix(found, reason+"\n") {
				t.Fatalf("the reason is not %q: %q", reason, found)
			}
			next += dropped
			continue
		}
		if strings.HasPrefix(found, "recipe: ") {
			continue
		}
		if found != line(next) {
			t.Fatalf("instead of line %d there is %.80q, of %d bytes", next, found, len(found))
		}
		next++
	}
	if next != lines {
		t.Fatalf("%d lines are accounted for, of %d", next, lines)
	}
}

// withoutStarts removes what stands before a count of a line longer than a chunk: it may be under way to the consumer
// when the rest of it is dropped. A shorter one is never cut so.
func withoutStarts(text []byte) string {
	var kept [][]byte
	for _, found := range bytes.SplitAfter(text, []byte("\n")) {
		if bytes.HasPrefix(found, []byte("recipe: ")) && len(kept) > 0 {
			last := kept[len(kept)-1]
			if n := number(last); n >= 0 && string(last) != line(n) && len(line(n)) > smallChunk {
				kept = kept[:len(kept)-1]
			}
		}
		kept = append(kept, found)
	}
	return string(bytes.Join(kept, nil))
}

func number(text []byte) int {
	n := -1
	fmt.Sscanf(string(text[:min(len(text), 40)]), "line %d ", &n)
	return n
}

// paths lists the log's files, the oldest first.
func paths(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	for n := 0; ; n++ {
		path := numbered(filepath.Join(dir, "foo.log"), n)
		if _, err := os.Stat(path); err == nil {
			list = append([]string{path}, list...)
		} else if n > 0 {
			return list
		}
	}
}

// whole is all files together.
func whole(t testing.TB, dir string) string {
	t.Helper()
	var all bytes.Buffer
	for _, path := range paths(t, dir) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

func appendTo(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err == nil {
		_, err = io.WriteString(f, text)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func same(t testing.TB, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	t.Fatalf("at byte %d of %d (wanted %d bytes): got %.60q, wanted %.60q", at, len(got), len(want), got[at:], want[at:])
}

func eventually(t testing.TB, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute")
		}
	}
}

// hostOnly skips, or fails where the host is there for such tests.
func hostOnly(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("RECIPE_TEST_HOST") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}
