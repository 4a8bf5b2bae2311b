package driver

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/renameio/v2"

	"recipe/runtime/control"
	"recipe/runtime/supervise"
)

// Bounds of what is kept of a task: runs, lines of each, and bytes of each line.
const (
	mostRuns  = 20
	mostWords = 5
	mostLine  = 300
)

// history is the last runs of a task, the oldest first, as they lie in the state folder.
type history struct {
	Runs []control.Run `json:"runs"`
}

func historyPath(stateDir, name string) string {
	return filepath.Join(stateDir, "tasks", name+".json")
}

// readHistory begins anew where there is nothing to be read: a task is run whatever became of the notes of its past. A run
// that has no end was cut short with its supervisor.
func readHistory(stateDir, name string) (h history) {
	data, err := os.ReadFile(historyPath(stateDir, name))
	if err != nil || json.Unmarshal(data, &h) != nil {
		return history{}
	}
	for i := range h.Runs {
		if r := &h.Runs[i]; r.Ended == nil {
			r.Ended, r.OK, r.Result = &r.Began, false, "its supervisor ended before it did"
		}
	}
	return h
}

// write is on the disk when it returns.
func (h *history) write(stateDir, name string) error {
	path := historyPath(stateDir, name)
	data, err := json.Marshal(h)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = renameio.WriteFile(path, append(data, '\n'), 0o640) // as the log that the words are in
	}
	if err != nil {
		return fmt.Errorf("cannot keep the history of task %s: %w", name, err)
	}
	return nil
}

// last is when the last run began; zero for never.
func (h *history) last() time.Time {
	if len(h.Runs) == 0 {
		return time.Time{}
	}
	return h.Runs[len(h.Runs)-1].Began
}

func (h *history) add(r control.Run) {
	h.Runs = append(h.Runs, r)
	h.Runs = h.Runs[max(0, len(h.Runs)-mostRuns):]
}

// end completes the last run.
func (h *history) end(at time.Time, e supervise.Ran, words []string) {
	if len(h.Runs) == 0 {
		return
	}
	r := &h.Runs[len(h.Runs)-1]
	r.Ended, r.OK, r.Result, r.Words = &at, e.OK, e.Result, words
}

// words keeps the last lines of a run's output. Its methods may be called concurrently.
type words struct {
	mu    sync.Mutex
	lines []string
}

// after puts the words in front of another reader of lines, which may be nil.
func (w *words) after(tee func([]byte)) func([]byte) {
	return func(line []byte) {
		w.hear(line)
		if tee != nil {
			tee(line)
		}
	}
}

func (w *words) hear(line []byte) {
	text := strings.ToValidUTF8(string(line[:min(len(line), mostLine)]), "?")
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	if text == "" {
		return
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, text)
	w.lines = w.lines[max(0, len(w.lines)-mostWords):]
}

func (w *words) last() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.lines...)
}

func (w *words) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = nil
}
