package driver

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"recipe/runtime/control"
)

// journalSize is when the journal is rotated: about 30,000 decisions, two files of which are kept.
const journalSize = 4 << 20

// journal keeps the decisions of a supervisor, one JSON object a line, over its restarts. It is appended to without
// fsync: after a power cut the last seconds may be missing. Its methods may run concurrently.
type journal struct {
	path string

	mu   sync.Mutex
	file *os.File // nil while the file cannot be had
	size int64
	lost int // decisions that could not be written since the last that could
}

func openJournal(path string) *journal {
	j := &journal{path: path}
	j.open()
	return j
}

func (j *journal) open() {
	f, err := os.OpenFile(j.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return
	}
	if info, err := f.Stat(); err == nil {
		j.size = info.Size()
	}
	j.file = f
}

func (j *journal) note(service, what, why string) {
	j.write(control.Decision{Time: time.Now(), Service: service, What: what, Why: why})
}

// write appends one decision. A disk that is full loses decisions, which is counted and said by the next that is kept.
func (j *journal) write(d control.Decision) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.size > journalSize && j.file != nil {
		j.file.Close()
		j.file, j.size = nil, 0
		os.Rename(j.path, j.path+".1")
	}
	if j.file == nil {
		j.open()
	}
	if j.lost > 0 {
		d.Why += fmt.Sprintf(" (%d decisions before this one could not be written to %s)", j.lost, j.path)
	}
	line, err := json.Marshal(d)
	if err != nil || j.file == nil {
		j.lost++
		return
	}
	n, err := j.file.Write(append(line, '\n'))
	j.size += int64(n)
	if err != nil {
		j.lost++
		return
	}
	j.lost = 0
}

func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		j.file.Close()
		j.file = nil
	}
}

// of returns the last n decisions on a service, oldest first.
func (j *journal) of(service string, n int) ([]control.Decision, error) {
	var found []control.Decision
	for _, path := range []string{j.path + ".1", j.path} {
		f, err := os.Open(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the decisions: %w", err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var d control.Decision
			if json.Unmarshal(lines.Bytes(), &d) == nil && d.Service == service {
				found = append(found, d)
			}
		}
		err = lines.Err()
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("cannot read the decisions in %s: %w", path, err)
		}
	}
	return found[max(0, len(found)-n):], nil
}
