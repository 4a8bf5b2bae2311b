package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

// memory keeps commands and their answers in a file, a JSON object a line: a command when it is taken, and again when it
// is answered. It is written without fsync, since whoever could ask again is on this host and ends with it. A disk that
// takes nothing keeps nobody from a command. A nil memory keeps nothing.
type memory struct {
	path    string
	most    int // orders
	largest int // bytes of their answers, but for the last one

	mu    sync.Mutex
	file  *os.File
	lines int
	size  int      // of the file, in bytes
	kept  []record // the oldest first
}

// record is a command that was taken, and what came of it. Answer and Error are absent until it is answered.
type record struct {
	Key    string          `json:"key"`
	What   string          `json:"what"`
	Time   time.Time       `json:"time"` // when it was taken
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *Error          `json:"error,omitempty"`
}

func answered(one *order) record {
	r := record{Key: one.key, What: one.what, Time: time.Now()}
	if one.err != nil {
		r.Error = asError(one.err)
	} else if data, err := json.Marshal(one.answer); err == nil {
		r.Answer = data
	}
	return r
}

// remember reads what an earlier supervisor took, and has the rest kept at path.
func remember(path string, most, largest int) *memory {
	m := &memory{path: path, most: most, largest: largest}
	data, _ := os.ReadFile(path)
	for line := range bytes.Lines(data) {
		var r record
		if json.Unmarshal(line, &r) == nil && r.Key != "" {
			m.add(r)
		}
	}
	m.rewrite()
	return m
}

// orders are those that are kept, as nobody has begun them.
func (m *memory) orders() (line []*order) {
	for _, r := range m.kept {
		one := &order{key: r.Key, what: r.What, taken: r.Time, done: make(chan struct{})}
		if r.Answer != nil || r.Error != nil {
			one.begun, one.answer, one.size = true, r.Answer, len(r.Answer)
			if r.Error != nil {
				one.err = r.Error
			}
			close(one.done)
		}
		line = append(line, one)
	}
	return line
}

// add keeps when a command was taken as it gets its answer.
func (m *memory) add(r record) {
	if i := slices.IndexFunc(m.kept, func(k record) bool { return k.Key == r.Key }); i >= 0 {
		r.Time = m.kept[i].Time
		m.kept[i] = r
	} else {
		m.kept = append(m.kept, r)
		m.kept = slices.Delete(m.kept, 0, max(0, len(m.kept)-m.most))
	}
	size := 0
	for _, k := range m.kept {
		size += len(k.Answer)
	}
	m.kept = slices.DeleteFunc(m.kept, func(k record) bool {
		if size <= m.largest || k.Key == r.Key || len(k.Answer) == 0 {
			return false
		}
		size -= len(k.Answer)
		return true
	})
}

func (m *memory) note(r record) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(r)
	if m.lines > 4*m.most || m.size > 4*m.largest || !m.stands() {
		m.rewrite()
		return
	}
	line, err := json.Marshal(r)
	if err != nil {
		return
	}
	m.lines++
	m.size += len(line)
	if _, err := m.file.Write(append(line, '\n')); err != nil {
		m.shut()
	}
}

// stands is false where the last attempt failed, and of a file that was removed or moved away.
func (m *memory) stands() bool {
	if m.file == nil {
		return false
	}
	ours, err := m.file.Stat()
	there, missing := os.Stat(m.path)
	return err == nil && missing == nil && os.SameFile(ours, there)
}

// rewrite leaves of the file what is kept, and opens it for more.
func (m *memory) rewrite() {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	for _, r := range m.kept {
		_ = enc.Encode(r)
	}
	m.shut()
	if renameio.WriteFile(m.path, text.Bytes(), 0o600) != nil {
		return
	}
	m.lines, m.size = len(m.kept), text.Len()
	m.file, _ = os.OpenFile(m.path, os.O_APPEND|os.O_WRONLY, 0)
}

func (m *memory) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shut()
}

func (m *memory) shut() {
	if m.file != nil {
		m.file.Close()
		m.file = nil
	}
}

// Keep has the answers to commands kept at path, so that the next supervisor gives them to who asks again.
func (l *Listener) Keep(path string) { l.kept = path }

func asError(err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: Failed, Message: fmt.Sprint(err)}
	}
	return e
}
