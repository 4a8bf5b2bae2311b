// Package logs keeps what a service says: it captures stdout and stderr over one pipe, so that their order is kept, into
// DIR/SERVICE.log, and rotates that to .log.1, .log.2 and so on.
//
// Rules:
//   - The supervisor holds both ends of the pipe. Every incarnation inherits the same write end, so a restart loses
//     nothing; an end of file means nothing and does not occur.
//   - One goroutine waits for all services; one that has much to say gets its own reader, and a larger pipe, for as long.
//   - The reader never waits for the disk: it fills a queue, which a few goroutines for all logs empty. A full queue holds
//     the daemon back for a second at most, of which a disk that takes 32 MiB a second uses up nothing; then whole lines
//     are dropped, counted, and said in the place where they are missing: "recipe: N lines dropped: the disk did not keep up".
//   - Files are appended to, never truncated, and rotated by rename between two lines. Only a line of more than 64 KiB
//     may go on in the next file. A file may exceed its size by the rest of one line.
//   - Older copies are compressed on a thread that yields to all others; a copy has its plain name or its compressed one,
//     and Tail and Follow read both.
//   - What a rate does not admit is dropped by whole lines, counted and said where it is missing. Lines are stamped, or
//     made JSON, on their way to the disk; where neither is wanted no byte is touched.
//   - A disk that is full, read-only or gone stops nothing: it is tried again every second. A file that somebody renamed
//     or removed is made anew within a second of output.
//   - What was read is written at once, unfinished lines as well: a supervisor that dies has its daemons' last words on
//     disk.
//   - An idle service costs two descriptors of a pipe, 1.4 KiB and its last words, 512 bytes at most; no goroutine, buffer, open file or timer: a file is
//     closed, and memory given back, some seconds after the last line. All logs together hold 64 MiB at most, and
//     32 KiB each.
//   - A log can be handed to the program that the supervisor becomes by exec, with nothing lost: handover.go.
//   - Where it is wanted, lines go to the host's log as well: forward.go. One that takes none stops nobody, and what it
//     missed is counted and said.
//
// The path of a byte: the pipe or a terminal, collector.go, source.go, reader.go, rate.go, queue.go, crew.go, shape.go, then
// file.go, and in the end packer.go; and, by queues of their own, the tee and the host's log. Tail, Follow and Query read the
// files without the supervisor. Tests: a real pipe and real files, disks that fail, are slow or hang, a random stream that
// must come out whole over all files, fuzz targets for what lines are shaped to, and BenchmarkCapture.
package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

const (
	diskBytes  = 4 << 20         // wait for the disk
	teeBytes   = 1 << 20         // for the terminal
	patience   = time.Second     // that a daemon is held back, until the queue has been empty again
	retryEvery = time.Second     // after an error of the disk
	farewell   = 2 * time.Second // that Close waits for the disk
)

// Log captures one service's output. Its methods may be called concurrently.
type Log struct {
	service   string
	collector *Collector
	write     *os.File
	closing   atomic.Bool // set by Close and HandOver
	once      sync.Once

	reading   sync.Mutex // what is read is taken in its order
	pipe      source
	terminals []*source

	file   file    // of the disk queue's goroutine alone, and of rest while there is none,
	shaper *shaper // nil while lines are kept as they are

	mu          sync.Mutex
	words       words
	limits      plan.Logs
	disk        queue
	rate        *rate     // nil before the first line that it counted
	tee         *queue    // nil: none
	forward     *queue    // nil: none
	seek        *splitter // nil: nobody looks for a line
	idle        chan struct{}
	bytes       int64
	unforwarded int64  // lines that could not be sent
	err         error  // of the last write
	trouble     string // the last error since the queue was empty
	packing     string // the last error of the packer
	listed      bool   // the collector will call rest
	resting     bool   // nothing was written since it did
	pending     []byte // what is to be written of the chunk that was taken; nil: it was not shaped yet
	unsaved     []byte // what a log that was closed gave up
}

// Stats tell how the capture fares.
type Stats struct {
	Bytes   int64 // written to files
	Dropped int64 // lines that are in no file
	Unshown int64 // lines that the tee did not get
	Unsent  int64 // lines that the host's log did not get
	Waiting int   // bytes that wait for the disk
	Err     error // of the last write; nil when it went well
}

// Open starts the capture of service into dir, which need not exist. An error is one of the name or of the pipe: a disk
// that cannot be written is told by Stats, and does not keep a service from running. tee, where it is not nil, is
// called with each whole line, without its newline and valid during the call; it may block, and loses lines then.
func (c *Collector) Open(dir, service string, limits plan.Logs, tee func(line []byte)) (*Log, error) {
	if err := checkName(service); err != nil {
		return nil, fmt.Errorf("cannot capture the output of service %q: %w", service, err)
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("cannot make a pipe for the output of service %q: %w", service, err)
	}
	l := c.newLog(dir, service, limits, tee)
	if err := l.start(ends[0], ends[1]); err != nil {
		return nil, errors.Join(err, unix.Close(ends[0]), unix.Close(ends[1]))
	}
	return l, nil
}

func (c *Collector) newLog(dir, service string, limits plan.Logs, tee func(line []byte)) *Log {
	l := &Log{
		service:   service,
		collector: c,
		file:      file{dir: dir, path: filepath.Join(dir, service+".log"), now: time.Now},
		limits:    limits,
	}
	l.file.fails = l.unpacked
	l.disk = newQueue(&c.memory, &c.disks, diskBytes, l)
	if tee != nil {
		t := newQueue(&c.memory, &c.tees, teeBytes, &splitter{emit: tee})
		l.tee = &t
	}
	l.setForward(limits.Forward)
	return l
}

// start captures from one end of the pipe what is written to the other.
func (l *Log) start(read, write int) error {
	// Only our end is non-blocking: a daemon's write must not fail with EAGAIN.
	if err := unix.SetNonblock(read, true); err != nil {
		return fmt.Errorf("cannot capture the output of service %q: %w", l.service, err)
	}
	l.pipe = source{log: l, fd: read}
	if err := l.collector.add(&l.pipe); err != nil {
		return fmt.Errorf("cannot capture the output of service %q: %w", l.service, err)
	}
	l.write = os.NewFile(uintptr(write), l.service)
	return nil
}

// Listen captures what is read from a terminal's master as well, which stays the caller's, until stop is called or the
// other side is closed. take gets all of it as it was read and appends to to what is for the log, three bytes for each and four more at
// most; it must neither wait nor call the log. stop reads what is left.
func (l *Log) Listen(master int, take func(to, read []byte) []byte) (stop func(), err error) {
	if err := unix.SetNonblock(master, true); err != nil {
		return nil, fmt.Errorf("cannot capture the terminal of service %q: %w", l.service, err)
	}
	s := &source{log: l, fd: master, take: take}
	l.reading.Lock()
	defer l.reading.Unlock()
	if err := l.collector.add(s); err != nil {
		return nil, fmt.Errorf("cannot capture the terminal of service %q: %w", l.service, err)
	}
	l.terminals = append(l.terminals, s)
	return func() { l.ignore(s) }, nil
}

// ignore reads what is left in the terminal, and nothing else.
func (l *Log) ignore(s *source) {
	l.reading.Lock()
	defer l.reading.Unlock()
	s.empty()
	if s.fd >= 0 {
		s.end()
	}
	l.terminals = slices.DeleteFunc(l.terminals, func(other *source) bool { return other == s })
}

// checkName accepts what can be part of a file's name.
func checkName(service string) error {
	if service == "" || strings.ContainsAny(service, "/\x00") || strings.HasPrefix(service, ".") {
		return errors.New("the name cannot be a file's")
	}
	return nil
}

// Writer is the end of the pipe that every incarnation gets as stdout and stderr. It belongs to the Log.
func (l *Log) Writer() *os.File { return l.write }

// Own gives the pipe to a user, so that a daemon that opens /dev/stdout or /dev/stderr by name may do so.
func (l *Log) Own(uid, gid int) error {
	if err := unix.Fchown(int(l.write.Fd()), uid, gid); err != nil {
		return fmt.Errorf("cannot give the output of service %q to uid %d: %w", l.service, uid, err)
	}
	return nil
}

// SetLimits holds from the next write on.
func (l *Log) SetLimits(limits plan.Logs) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limits.Forward != l.limits.Forward {
		l.setForward(limits.Forward)
	}
	l.limits = limits
}

// Stats may be called at any time, also after Close.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Bytes: l.bytes, Dropped: l.disk.lost, Waiting: l.disk.waiting(), Err: l.err}
	if l.rate != nil {
		s.Dropped += l.rate.lost
	}
	if l.tee != nil {
		s.Unshown = l.tee.lost
	}
	s.Unsent = l.unforwarded
	if l.forward != nil {
		s.Unsent += l.forward.lost
	}
	return s
}

// Note puts a line of the supervisor's own into the log, after all that the daemon has written so far, and on the tee.
// It does not wait for the disk.
func (l *Log) Note(text string) {
	l.withPipe(func() {
		l.each(func(q *queue) { q.note(strings.TrimRight(text, "\n")) })
	})
}

// EndIncarnation reads what is left in the pipe and ends an unfinished last line, so that the next incarnation starts
// with a line of its own. It does not wait for the disk.
func (l *Log) EndIncarnation() {
	l.withPipe(func() {
		if l.rate != nil {
			l.say(l.rate.end())
		}
		l.each((*queue).endLine)
	})
}

// unpacked says once for a row of them that older files stay as large as they are.
func (l *Log) unpacked(err error) {
	l.withPipe(func() {
		if text := err.Error(); text != l.packing {
			l.packing = text
			l.each(func(q *queue) { q.note("recipe: " + text) })
		}
	})
}

// Drain waits until all that is in the pipe now has reached the file and the tee, or ctx ends.
func (l *Log) Drain(ctx context.Context) error {
	l.withPipe(func() {})
	return l.settle(ctx)
}

// settle waits until the queues are empty.
func (l *Log) settle(ctx context.Context) error {
	for {
		l.mu.Lock()
		if !l.disk.running && !l.tee.isRunning() && !l.forward.isRunning() {
			l.mu.Unlock()
			return nil
		}
		if l.idle == nil {
			l.idle = make(chan struct{})
		}
		idle, waiting, err := l.idle, l.disk.waiting()+len(l.pending), l.err
		l.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return l.unwritten(waiting, err, ctx.Err())
		}
	}
}

func (l *Log) unwritten(waiting int, err, wait error) error {
	if err == nil {
		err = wait
	}
	return fmt.Errorf("%d bytes of the output of service %q are not on disk: %w", waiting, l.service, err)
}

// Close reads what is left in the pipe, closes it, and waits two seconds at most for disk and tee; a disk that fails is
// tried once more. The error says what did not get to disk. It may be called twice.
func (l *Log) Close() error {
	l.once.Do(func() {
		l.EndIncarnation()
		l.giveUp()
		unix.Close(l.silence())
		l.write.Close()
	})
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := l.settle(ctx); err != nil {
		return err
	}
	l.file.endPacking()
	l.rest()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.unsaved) > 0 {
		return l.unwritten(len(l.unsaved), l.err, nil)
	}
	return nil
}

// giveUp has nobody wait for room or for another try any more.
func (l *Log) giveUp() {
	l.closing.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hasten(&l.disk)
	for _, q := range []*queue{&l.disk, l.tee, l.forward} {
		if q != nil {
			q.wake()
		}
	}
}

// silence reads no source any more, and returns the pipe's descriptor.
func (l *Log) silence() (read int) {
	l.reading.Lock()
	defer l.reading.Unlock()
	for _, s := range l.terminals {
		if s.fd >= 0 {
			s.end()
		}
	}
	l.terminals = nil
	read = l.pipe.fd
	l.pipe.end()
	return read
}
