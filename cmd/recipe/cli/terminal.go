package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// terminal shows lines without ever making their senders wait: a terminal that was stopped with ctrl-S, or a pipe that
// nobody reads, must not stop a supervisor. What cannot be shown is counted, and said when the reader is back.
type terminal struct {
	lines chan []byte
	done  chan struct{}
	out   io.Writer
	obeys bool // what is written, as terminals do

	mu      sync.Mutex
	dropped int
	closed  bool
}

// terminalLines is how many lines may wait to be shown.
const terminalLines = 4096

func newTerminal(out io.Writer) *terminal {
	t := &terminal{lines: make(chan []byte, terminalLines), done: make(chan struct{}), out: out, obeys: terminalOf(out) != nil}
	go t.show()
	return t
}

func (t *terminal) show() {
	defer close(t.done)
	for line := range t.lines {
		t.mu.Lock()
		dropped := t.dropped
		t.dropped = 0
		t.mu.Unlock()
		if dropped > 0 {
			fmt.Fprintf(t.out, "recipe: %d lines were not shown here: the reader did not keep up (they are in the logs)\n", dropped)
		}
		t.out.Write(line) // a reader that is gone is no reason to end
	}
}

func (t *terminal) send(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	select {
	case t.lines <- line:
	default:
		t.dropped++
	}
}

// say shows a message of the supervisor's own, which may repeat what a daemon or an operator said.
func (t *terminal) say(text string) {
	var lines []byte
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(append(lines, printable(line)...), '\n')
	}
	t.send(append([]byte("recipe: "), lines...))
}

// tee shows a line of a daemon's output behind the name of its service. It keeps nothing of line.
func (t *terminal) tee(service string, line []byte) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	text := make([]byte, 0, len(service)+len(line)+4)
	text = append(append(text, service...), " | "...)
	if t.obeys {
		text, _ = escape(text, line, ofOutput)
	} else {
		text = append(text, line...)
	}
	t.send(append(text, '\n'))
}

// close shows what waits, for a second at most.
func (t *terminal) close() {
	t.mu.Lock()
	t.closed = true
	close(t.lines)
	t.mu.Unlock()
	select {
	case <-t.done:
	case <-time.After(time.Second):
	}
}
