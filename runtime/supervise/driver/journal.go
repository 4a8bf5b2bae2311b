package driver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"recipe/runtime/control"
)

const (
	journalSize  = 4 << 20  // bytes at which it is rotated: about 30,000 decisions; two files are kept
	journalQueue = 4096     // decisions that may wait for the disk
	journalPiece = 32 << 10 // bytes that are written at once where many decisions wait
	journalWait  = 2 * time.Second
)

// whatMissing tells, to whoever asks about any service, that there were events which could not be kept.
const whatMissing = "missing"

// journal keeps the events of a supervisor, one JSON object a line, over its restarts, and shows them to viewers
// (events.go). Nobody who decides waits for the disk: a goroutine writes, without fsync, so after a power cut the last
// seconds may be missing. What could not be kept is counted, and said by the next event that is. Its methods may run
// concurrently.
type journal struct {
	path  string
	queue chan *entry // room for that many events themselves would take 640 KiB
	done  chan struct{}

	mu      sync.Mutex
	seq     uint64 // of the last event
	lost    int
	closed  bool
	viewers []*viewer
}

// entry is an event, or a request to tell when all before it was written.
type entry struct {
	event   control.Event
	written chan struct{}
}

// openJournal numbers on behind the last event that is there, and behind those that an earlier supervisor may have shown
// and not written.
func openJournal(path string) *journal {
	j := &journal{path: path, queue: make(chan *entry, journalQueue), done: make(chan struct{}), seq: lastNumber(path)}
	if j.seq > 0 {
		j.seq += journalQueue
	}
	go j.keep()
	return j
}

// write never waits.
func (j *journal) write(e control.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	j.seq++
	e.Seq = j.seq
	for _, v := range j.viewers {
		v.show(e)
	}
	select {
	case j.queue <- &entry{event: e}:
	default:
		j.lost++
	}
}

func (j *journal) missed() (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, j.lost = j.lost, 0
	return n
}

// keep is the goroutine that writes.
func (j *journal) keep() {
	defer close(j.done)
	f := &journalFile{path: j.path}
	defer f.close()
	for e := range j.queue {
		if e.written == nil {
			j.note(f, e.event)
		}
		if e.written != nil || len(j.queue) == 0 || len(f.unwritten) > journalPiece {
			j.flush(f)
		}
		if e.written != nil {
			close(e.written)
		}
	}
	j.flush(f)
}

// note adds an event to what is written next.
func (j *journal) note(f *journalFile, e control.Event) {
	if missed := j.missed(); missed > 0 { // told as an event of its own, which takes the number of one that is missing
		why := fmt.Sprintf("%d events before this one could not be written to %s", missed, j.path)
		if f.add(control.Event{Seq: e.Seq - 1, Decision: control.Decision{Time: e.Time, What: whatMissing, Why: why}}) != nil {
			j.lose(missed)
		} else {
			f.owed += missed - 1 // is itself none
		}
	}
	if f.add(e) != nil {
		j.lose(1)
	}
}

func (j *journal) flush(f *journalFile) {
	if lost, err := f.flush(); err != nil {
		j.lose(lost)
	}
}

func (j *journal) lose(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lost += n
}

// close waits for what is queued, for two seconds at most.
func (j *journal) close() {
	j.mu.Lock()
	if !j.closed {
		j.closed = true
		close(j.queue)
	}
	j.mu.Unlock()
	select {
	case <-j.done:
	case <-time.After(journalWait):
	}
}

// settle waits until what was decided before is in the file, for two seconds at most.
func (j *journal) settle() {
	written := make(chan struct{})
	j.mu.Lock()
	asked := false
	if !j.closed {
		select {
		case j.queue <- &entry{written: written}:
			asked = true
		default:
		}
	}
	j.mu.Unlock()
	if !asked {
		return
	}
	select {
	case <-written:
	case <-time.After(journalWait):
	}
}

// of returns the last n decisions on a service, oldest first.
func (j *journal) of(service string, n int) ([]control.Decision, error) {
	j.settle()
	var found []control.Decision
	err := j.each(func(e control.Event) error {
		if e.Service == service && e.What != control.WhatState || e.What == whatMissing {
			found = append(found, e.Decision)
		}
		return nil
	})
	return found[max(0, len(found)-n):], err
}

// each tells every event that is in the files, the oldest first, until use fails.
func (j *journal) each(use func(control.Event) error) error {
	for _, path := range []string{j.path + ".1", j.path} {
		f, err := os.Open(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot read the decisions: %w", err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for err == nil && lines.Scan() {
			var e control.Event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				err = use(e)
			}
		}
		if err == nil && lines.Err() != nil {
			err = fmt.Errorf("cannot read the decisions in %s: %w", path, lines.Err())
		}
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// lastNumber is that of the last event in the files; 0 where there is none. It reads no more than the end of each.
func lastNumber(path string) uint64 {
	const end = 64 << 10
	for _, path := range []string{path, path + ".1"} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		data := make([]byte, end)
		info, err := f.Stat()
		if err == nil {
			n, _ := f.ReadAt(data, max(0, info.Size()-end))
			data = data[:n]
		}
		f.Close()
		lines := bytes.Split(data, []byte("\n"))
		for _, line := range slices.Backward(lines) {
			var e control.Event
			if json.Unmarshal(line, &e) == nil && e.Seq > 0 {
				return e.Seq
			}
		}
	}
	return 0
}

// journalFile is appended to and rotated; it is opened again after every failure, and where it is not what its path leads
// to any longer: a folder that somebody removed or moved away is made again.
type journalFile struct {
	path      string
	file      *os.File
	info      os.FileInfo
	size      int64
	fresh     bool   // nothing was written since it was opened
	unwritten []byte // lines
	owed      int    // events that are lost with them: they themselves, and those that they tell of
}

func (f *journalFile) add(e control.Event) error {
	line, err := json.Marshal(e)
	if err == nil {
		f.unwritten = append(append(f.unwritten, line...), '\n')
		f.owed++
	}
	return err
}

// flush writes what was added, and tells where it cannot how many events are lost by that.
func (f *journalFile) flush() (lost int, err error) {
	if len(f.unwritten) == 0 {
		return 0, nil
	}
	err = f.write(f.unwritten)
	lost, f.owed, f.unwritten = f.owed, 0, nil
	return lost, err
}

func (f *journalFile) write(lines []byte) (err error) {
	if f.size > journalSize {
		f.close()
		if err := os.Rename(f.path, f.path+".1"); err != nil && !os.IsNotExist(err) { // somebody may have removed it
			return err
		}
		f.size = 0
	}
	if err := f.open(); err != nil {
		return err
	}
	if f.torn() {
		lines = append([]byte("\n"), lines...)
	}
	n, err := f.file.Write(lines)
	f.size += int64(n)
	if err != nil {
		f.close()
	}
	return err
}

func (f *journalFile) open() (err error) {
	there, err := os.Stat(f.path)
	if f.file != nil && err == nil && os.SameFile(there, f.info) {
		return nil
	}
	f.close()
	if os.IsNotExist(err) {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
			return err
		}
	}
	if f.file, err = os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640); err != nil {
		f.file = nil
		return err
	}
	if f.info, err = f.file.Stat(); err != nil {
		f.close()
		return err
	}
	f.size = f.info.Size()
	f.fresh = true
	return nil
}

// torn is true where a line was begun and not ended, by a disk that was full or a host that died. Only a file that was just
// opened can be.
func (f *journalFile) torn() bool {
	if !f.fresh || f.size == 0 {
		return false
	}
	f.fresh = false
	end := []byte{'\n'}
	if file, err := os.Open(f.path); err == nil {
		_, _ = file.ReadAt(end, f.size-1)
		file.Close()
	}
	return end[0] != '\n'
}

func (f *journalFile) close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}
