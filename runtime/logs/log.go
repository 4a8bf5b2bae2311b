// Package logs keeps what a service says: it captures stdout and stderr over one pipe, so that their order is kept, into
// DIR/SERVICE.log, and rotates that to .log.1, .log.2 and so on.
//
// Rules:
//   - The supervisor holds both ends of the pipe. Every incarnation inherits the same write end, so a restart loses
//     nothing; an end of file means nothing and does not occur.
//   - The reader never waits for the disk: it fills a queue, and a goroutine that lives only while there is data empties
//     it. A full queue holds the daemon back for a second at most; then whole lines are dropped, counted, and said in
//     the place where they are missing: "recipe: N lines dropped: the disk did not keep up".
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
//   - An idle service costs two descriptors of a pipe, one of the file and a parked goroutine; buffers come from one pool
//     and go back when they are empty. All logs of a process together hold 256 MiB at most.
//
// The path of a byte: the pipe, reader.go, rate.go, queue.go, shape.go, then file.go, and in the end packer.go; and, by a queue
// of its own, the tee. Tail and Follow read the files without the supervisor. Tests: a real pipe and real files, disks that
// fail, are slow or hang, a random stream that must come out whole over all files, a fuzz target for what lines are shaped
// to, and BenchmarkCapture.
package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

const (
	diskChunks = 64              // 4 MiB wait for the disk
	teeChunks  = 16              // 1 MiB for the terminal
	patience   = time.Second     // that a daemon is held back, until the queue has been empty again
	retryEvery = time.Second     // after an error of the disk
	farewell   = 2 * time.Second // that Close waits for the disk
)

// Log captures one service's output. Its methods may be called concurrently.
type Log struct {
	service string
	read    *os.File
	write   *os.File
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed when the reader is gone
	once    sync.Once

	file   file // of the disk queue's goroutine alone,
	shaper shaper

	mu        sync.Mutex
	limits    plan.Logs
	disk      queue
	rate      rate
	tee       *queue // nil: none
	idle      chan struct{}
	bytes     int64
	err       error  // of the last write
	trouble   string // the last error since the queue was empty
	packing   string // the last error of the packer
	unsaved   int    // bytes that Close gave up
	fullReads int
}

// Stats tell how the capture fares.
type Stats struct {
	Bytes   int64 // written to files
	Dropped int64 // lines that are in no file
	Unshown int64 // lines that the tee did not get
	Waiting int   // bytes that wait for the disk
	Err     error // of the last write; nil when it went well
}

// Open starts the capture of service into dir, which need not exist. An error is one of the name or of the pipe: a disk
// that cannot be written is told by Stats, and does not keep a service from running. tee, where it is not nil, is
// called with each whole line, without its newline and valid during the call; it may block, and loses lines then.
func Open(dir, service string, limits plan.Logs, tee func(line []byte)) (*Log, error) {
	if err := checkName(service); err != nil {
		return nil, fmt.Errorf("cannot capture the output of service %q: %w", service, err)
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("cannot make a pipe for the output of service %q: %w", service, err)
	}
	// Only our end is non-blocking: a daemon's write must not fail with EAGAIN.
	if err := unix.SetNonblock(ends[0], true); err != nil {
		return nil, errors.Join(err, unix.Close(ends[0]), unix.Close(ends[1]))
	}
	l := &Log{
		service: service,
		read:    os.NewFile(uintptr(ends[0]), service+" output"),
		write:   os.NewFile(uintptr(ends[1]), service+" output"),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
		file:    file{dir: dir, path: filepath.Join(dir, service+".log")},
		limits:  limits,
	}
	l.shaper.service = service
	l.file.packer.fails = l.unpacked
	l.disk = newQueue(diskChunks, l.store, l.whyDropped)
	if tee != nil {
		t := newQueue(teeChunks, (&splitter{emit: tee}).feed, func() string { return "not shown: the terminal did not keep up" })
		l.tee = &t
	}
	go l.capture()
	return l, nil
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
	l.limits = limits
}

// Stats may be called at any time, also after Close.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Bytes: l.bytes, Dropped: l.disk.lost + l.rate.lost, Waiting: l.disk.waiting(), Err: l.err}
	if l.tee != nil {
		s.Unshown = l.tee.lost
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
		l.say(l.rate.end())
		l.each((*queue).endLine)
	})
}

// unpacked says once for a row of them that older files stay as large as they are.
func (l *Log) unpacked(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text := err.Error(); text != l.packing && !l.isClosing() {
		l.packing = text
		l.each(func(q *queue) { q.note("recipe: " + text) })
	}
}

// Drain waits until all that is in the pipe now has reached the file and the tee, or ctx ends.
func (l *Log) Drain(ctx context.Context) error {
	l.withPipe(func() {})
	for {
		l.mu.Lock()
		if !l.disk.running && (l.tee == nil || !l.tee.running) {
			l.mu.Unlock()
			return nil
		}
		if l.idle == nil {
			l.idle = make(chan struct{})
		}
		idle, waiting, err := l.idle, l.disk.waiting(), l.err
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
		close(l.closing)
		l.read.Close()
		l.write.Close()
	})
	<-l.ended
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	err := l.Drain(ctx)
	l.file.packer.close()
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file.close()
	if l.unsaved > 0 {
		return l.unwritten(l.unsaved, l.err, nil)
	}
	return nil
}

// each calls f for the queues that there are, with mu held.
func (l *Log) each(f func(*queue)) {
	f(&l.disk)
	l.start(&l.disk)
	if l.tee != nil {
		f(l.tee)
		l.start(l.tee)
	}
}
