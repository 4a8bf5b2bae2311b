package logs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// Handover is a log between two supervisors, the second of which is what the first became by exec: what is in the pipe
// stays there, and what was read and is in no file yet goes along. It can be kept as JSON.
type Handover struct {
	Service string `json:"service"`
	// Read and Write are the pipe's ends. They keep their numbers over an exec, if whoever calls that clears FD_CLOEXEC.
	Read  int `json:"read"`
	Write int `json:"write"`

	Unwritten []byte `json:"unwritten,omitempty"` // as the file is to have it
	Unshown   []byte `json:"unshown,omitempty"`   // the start of a line that the tee is to have
	Words     []byte `json:"words,omitempty"`     // the end of what the incarnation said
	Unsent    []byte `json:"unsent,omitempty"`    // and the host's log
	Written   int64  `json:"written"`             // Stats.Bytes
	Line      Ending `json:"line"`
	Dropped   Drops  `json:"dropped"`

	Shaped *ShapedLine `json:"shaped,omitempty"` // nil: lines are kept as they are
	Rate   *RateState  `json:"rate,omitempty"`   // nil: no rate
}

// Ending is the end of what was read, and of the file that was written.
type Ending struct {
	Unfinished bool   `json:"unfinished,omitempty"` // the last line that was read lacks its newline
	Bytes      int    `json:"bytes,omitempty"`      // of an unfinished line at the end of the file
	Device     uint64 `json:"device,omitempty"`     // of the file
	Inode      uint64 `json:"inode,omitempty"`
}

// Drops are lines that are in no file.
type Drops struct {
	Lines    int64  `json:"lines,omitempty"`    // that a disk did not take, ever
	Unsaid   int64  `json:"unsaid,omitempty"`   // of them, not accounted for in the file yet
	Why      string `json:"why,omitempty"`      // the disk's last error
	Skipping bool   `json:"skipping,omitempty"` // the rest of a line whose start is one of them
}

// ShapedLine is a line that was begun in a form of its own.
type ShapedLine struct {
	Format plan.LogFormat `json:"format,omitempty"`
	Middle bool           `json:"middle,omitempty"`
	Carry  []byte         `json:"carry,omitempty"` // of a character that was cut
}

// RateState is how a rate stands. It lets nothing in for the time of the exec.
type RateState struct {
	Tokens   float64 `json:"tokens"`
	Skipping bool    `json:"skipping,omitempty"`
	Middle   bool    `json:"middle,omitempty"`
	Unsaid   int64   `json:"unsaid,omitempty"`
	Lines    int64   `json:"lines,omitempty"`
}

// HandOver ends the capture without reading what is left in the pipe, whose descriptors belong to the Handover from now
// on; what Writer returned is closed. It waits for disk and tee until ctx ends, and what a disk did not take by then goes
// along. Of a disk that hangs, what is in its hands may come to be in the file twice. Terminals are to be listened to anew.
func (l *Log) HandOver(ctx context.Context) (*Handover, error) {
	write, err := unix.FcntlInt(l.write.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot hand over the log of service %q: %w", l.service, err)
	}
	read := l.silence()
	if read < 0 {
		return nil, errors.Join(fmt.Errorf("cannot hand over the log of service %q: it is closed", l.service), unix.Close(write))
	}
	l.write.Close()
	if l.settle(ctx) != nil {
		l.once.Do(l.giveUp)
		try, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = l.settle(try) // what is left then hangs, and goes along
	}
	l.once.Do(l.giveUp)
	h := l.state()
	h.Read, h.Write = read, write
	l.rest()
	return h, nil
}

// WithPipe calls use with the reading end of the pipe, which stays the log's. It fails where the log is closed.
func (l *Log) WithPipe(use func(fd int)) error {
	l.reading.Lock()
	defer l.reading.Unlock()
	if l.pipe.fd < 0 {
		return fmt.Errorf("cannot hand over the log of service %q: it is closed", l.service)
	}
	use(l.pipe.fd)
	return nil
}

func (l *Log) state() *Handover {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := &Handover{
		Service: l.service, Words: l.words, Written: l.bytes, Unwritten: l.unsaved,
		Line:    Ending{Unfinished: l.disk.unfinished, Bytes: l.file.line, Device: l.file.id.device, Inode: l.file.id.inode},
		Dropped: Drops{Lines: l.disk.lost, Unsaid: l.disk.dropped, Why: l.trouble, Skipping: l.disk.skipping},
	}
	if l.pending != nil {
		h.Unwritten = append(h.Unwritten, l.pending...)
	} else if l.disk.taken != nil {
		h.Unwritten = append(h.Unwritten, l.shape(l.disk.taken, l.limits)...)
	}
	for _, c := range l.disk.chunks {
		h.Unwritten = append(h.Unwritten, l.shape(c, l.limits)...)
		l.collector.memory.put(c)
	}
	l.disk.chunks = nil
	if s := l.shaper; s != nil {
		h.Shaped = &ShapedLine{Format: s.format, Middle: s.middle, Carry: s.carry}
	}
	if r := l.rate; r != nil {
		h.Rate = &RateState{Tokens: r.tokens, Skipping: r.skipping, Middle: r.middle, Unsaid: r.dropped, Lines: r.lost}
	}
	if l.tee != nil && !l.tee.running {
		h.Unshown = l.tee.to.(*splitter).rest
	}
	if f := l.forward; f != nil && !f.running {
		h.Unsent = f.to.(*forwarder).lines.rest
	}
	return h
}

// Take goes on with what another Log handed over, as Open would have begun. It fails only where the descriptors are none
// of a pipe, and leaves them open then.
func (c *Collector) Take(h *Handover, dir string, limits plan.Logs, tee func(line []byte)) (*Log, error) {
	if err := checkName(h.Service); err != nil {
		return nil, fmt.Errorf("cannot capture the output of service %q: %w", h.Service, err)
	}
	l := c.newLog(dir, h.Service, limits, tee)
	l.words, l.bytes, l.trouble = h.Words, h.Written, h.Dropped.Why
	l.file.id, l.file.line, l.file.opened = fileID{h.Line.Device, h.Line.Inode}, h.Line.Bytes, h.Written > 0
	l.disk.lost, l.disk.dropped, l.disk.skipping = h.Dropped.Lines, h.Dropped.Unsaid, h.Dropped.Skipping
	if s := h.Shaped; s != nil {
		l.shaper = &shaper{service: h.Service, format: s.Format, middle: s.Middle, carry: s.Carry}
	}
	if r := h.Rate; r != nil {
		l.rate = &rate{tokens: r.Tokens, filled: time.Now(), skipping: r.Skipping, middle: r.Middle, dropped: r.Unsaid, lost: r.Lines}
	}
	if tee != nil {
		l.tee.to = &splitter{emit: tee, rest: h.Unshown}
	}
	if l.forward != nil {
		l.forward.to.(*forwarder).lines.rest = h.Unsent
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disk.pushText(string(h.Unwritten), true)
	l.disk.unfinished = h.Line.Unfinished
	l.disk.sayDropped()
	l.run(&l.disk)
	if err := l.start(h.Read, h.Write); err != nil {
		return nil, err
	}
	return l, nil
}
