package logs

import (
	"bytes"
	"io"
	"math/rand/v2"
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
	stop, err := l.Listen(int(master.Fd()), func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen.Write(p)
	})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(tty, "one\ntwo\nprogress\rdone")
	l.EndIncarnation()
	l.Note("recipe: it exited")
	io.WriteString(tty, "next\n")
	stop()
	io.WriteString(tty, "to nobody\n")
	drain(t, l)
	same(t, whole(t, dir), "one\ntwo\nprogress\rdone\nrecipe: it exited\nnext\n")
	mu.Lock()
	defer mu.Unlock()
	same(t, seen.String(), "one\r\ntwo\r\nprogress\rdonenext\r\n")
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
	stop, err := l.Listen(int(master.Fd()), nil)
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

// TestCarriageReturnsOfATerminal are found wherever a read ends.
func TestCarriageReturnsOfATerminal(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := strings.Repeat("one\r\ntwo\r\r\n\r\rthree\n\r\n", 20)
	for range 200 {
		s := &source{}
		var out bytes.Buffer
		for rest := text; len(rest) > 0; {
			c := &chunk{space: make([]byte, smallChunk)}
			kept := s.unreturn(c.space)
			n := copy(c.space[kept:], rest[:1+random.IntN(len(rest))])
			c.n, rest = kept+n, rest[n:]
			s.plain(c)
			out.Write(c.bytes())
		}
		same(t, out.String(), strings.ReplaceAll(text, "\r\n", "\n"))
	}
}
