package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

// memory keeps commands and their answers in a file, a JSON object a line: a command when it is taken, and again when it
// is answered. It is written without fsync, since whoever could ask again is on this host and ends with it. A disk that
// takes nothing keeps nobody from a command. A nil memory keeps nothing.
type memory struct {
	path string
	most int // orders

	mu    sync.Mutex
	file  *os.File
	lines int
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
func remember(path string, most int) *memory {
	m := &memory{path: path, most: most}
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
			one.begun, one.answer = true, r.Answer
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
	for i := range m.kept {
		if m.kept[i].Key == r.Key {
			r.Time = m.kept[i].Time
			m.kept[i] = r
			return
		}
	}
	m.kept = append(m.kept, r)
	m.kept = m.kept[max(0, len(m.kept)-m.most):]
}

func (m *memory) note(r record) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(r)
	if m.lines > 4*m.most {
		m.rewrite()
		return
	}
	line, err := json.Marshal(r)
	if err != nil || m.file == nil {
		return
	}
	m.lines++
	_, _ = m.file.Write(append(line, '\n'))
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
	m.lines = len(m.kept)
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
