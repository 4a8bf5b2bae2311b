package logs

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"

	"recipe/runtime/plan"
)

// TestTerminalIsCapturedAsAPipeIs, in order with what stands in the log already; who looks at it sees what the terminal got.
func TestTerminalIsCapturedAsAPipeIs(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.DefaultLogs(), nil)
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	var mu sync.Mutex
	var seen bytes.Buffer
	stop, err := l.Listen(int(master.Fd()), func(to, p []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		seen.Write(p)
		return append(to, bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))...)
	})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(tty, "one\ntwo\nprogress\rdone")
	l.EndIncarnation()
	l.Note("recipe: it exited")
	io.WriteString(tty, "next\n")
	// Whoever is asked to read it all does, though a terminal gives 4 KiB at once.
	long := strings.Repeat("0123456789abcde\n", 1<<10)
	io.WriteString(tty, long)
	stop()
	io.WriteString(tty, "to nobody\n")
	drain(t, l)
	same(t, whole(t, dir), "one\ntwo\nprogress\rdone\nrecipe: it exited\nnext\n"+long)
	mu.Lock()
	defer mu.Unlock()
	same(t, seen.String(), "one\r\ntwo\r\nprogress\rdonenext\r\n"+strings.ReplaceAll(long, "\n", "\r\n"))
}

// TestTerminalThatIsClosedIsReadNoMore: what it said is kept, and nothing spins.
func TestTerminalThatIsClosedIsReadNoMore(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.DefaultLogs(), nil)
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	stop, err := l.Listen(int(master.Fd()), func(to, p []byte) []byte { return append(to, "last words\n"...) })
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(tty, "last words\n")
	tty.Close()
	eventually(t, func() bool {
		l.reading.Lock()
		defer l.reading.Unlock()
		return l.terminals[0].fd < 0
	})
	stop()
	drain(t, l)
	same(t, whole(t, dir), "last words\n")
}
