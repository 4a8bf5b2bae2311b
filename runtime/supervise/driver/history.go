package driver

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"recipe/runtime/control"
	"recipe/runtime/supervise"
)

// mostRuns is how many are kept of a task.
const mostRuns = 20

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
