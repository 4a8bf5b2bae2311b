package terminal

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// queueSize is how many bytes may wait for a viewer.
const queueSize = 256 << 10

// Viewer is somebody who looks at a terminal. Next is for one goroutine, the rest may be called concurrently.
type Viewer struct {
	terminal *Terminal
	readOnly bool
	size     Size // guarded by the terminal's mu

	mu      sync.Mutex
	ready   sync.Cond
	queue   []item
	waiting int // bytes in queue
	dropped int // bytes, not said yet
	over    bool
}

// item is a note, or what was written.
type item struct {
	data []byte
	note string
}

// Next waits for what there is to show: what was written, or a note of the supervisor's, a line. The error is io.EOF when there will be nothing more.
func (v *Viewer) Next() (data []byte, note string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for len(v.queue) == 0 && v.dropped == 0 && !v.over {
		v.ready.Wait()
	}
	switch {
	case v.dropped > 0:
		note = fmt.Sprintf("%d bytes were not shown: this terminal did not keep up", v.dropped)
		v.dropped = 0
		return nil, note, nil
	case len(v.queue) == 0:
		return nil, "", io.EOF
	}
	first := v.queue[0]
	v.queue = v.queue[1:]
	v.waiting -= len(first.data)
	if len(v.queue) == 0 {
		v.queue = nil
	}
	return first.data, first.note, nil
}

// Write types. What the daemon does not take is told by a note; the error is that of somebody who may only look.
func (v *Viewer) Write(p []byte) (int, error) {
	if v.readOnly {
		return 0, errors.New("it was attached to read-only")
	}
	if err := v.terminal.input(p); err != nil {
		v.Note(err.Error())
	}
	return len(p), nil
}

// Resize tells the size of the viewer's own terminal.
func (v *Viewer) Resize(columns, rows int) {
	v.terminal.mu.Lock()
	defer v.terminal.mu.Unlock()
	v.size = Size{columns, rows}
	v.terminal.resize()
}

// Close detaches; Next ends.
func (v *Viewer) Close() error {
	v.terminal.leave(v)
	v.end("")
	return nil
}

// push keeps a copy of what was written. Where it does not fit, all that waits is dropped: what comes now matters more.
func (v *Viewer) push(p []byte) {
	if len(p) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return
	}
	if v.waiting+len(p) > queueSize {
		v.drop()
	}
	v.waiting += len(p)
	last := len(v.queue) - 1
	if last >= 0 && v.queue[last].note == "" && len(v.queue[last].data)+len(p) <= most {
		v.queue[last].data = append(v.queue[last].data, p...)
	} else {
		v.queue = append(v.queue, item{data: append([]byte(nil), p...)})
	}
	v.ready.Signal()
}

// most is how many bytes are given at once.
const most = 32 << 10

func (v *Viewer) drop() {
	v.dropped += v.waiting
	v.waiting = 0
	notes := v.queue[:0]
	for _, i := range v.queue {
		if i.note != "" {
			notes = append(notes, i)
		}
	}
	v.queue = notes
}

// mostNotes may wait; the journal has them all.
const mostNotes = 100

// Note tells this viewer alone.
func (v *Viewer) Note(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over || len(v.queue) > mostNotes {
		return
	}
	v.queue = append(v.queue, item{note: text})
	v.ready.Signal()
}

// end lets what waits be read, then Next ends.
func (v *Viewer) end(why string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return
	}
	if why != "" {
		v.queue = append(v.queue, item{note: why})
	}
	v.over = true
	v.ready.Broadcast()
}
