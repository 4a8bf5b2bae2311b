package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"recipe/runtime/control"
)

// sentence is the reason that everything shows while an admin's stop holds.
func sentence(stop control.AdminStop) string {
	text := fmt.Sprintf("stopped by %s at %s", stop.By, stop.When.Format("2006-01-02 15:04:05 MST"))
	if stop.Why != "" {
		text += ": " + stop.Why
	}
	return text
}

// stopPath is the file that keeps an admin's stop over supervisors and reboots.
func stopPath(stateDir, service string) string { return filepath.Join(stateDir, "stopped", service) }

// readStop reports whether the service is stopped by an admin. A file that cannot be read still says that: it was put
// there to keep the service down.
func readStop(stateDir, service string) (control.AdminStop, bool) {
	data, err := os.ReadFile(stopPath(stateDir, service))
	if errors.Is(err, fs.ErrNotExist) {
		return control.AdminStop{}, false
	}
	var stop control.AdminStop
	if err == nil {
		err = json.Unmarshal(data, &stop)
	}
	if err != nil {
		stop = control.AdminStop{By: "somebody", Why: fmt.Sprintf("the note of it cannot be read: %v", err)}
	}
	return stop, true
}

// writeStop is on the disk when it returns.
func writeStop(stateDir, service string, caller control.Caller) (control.AdminStop, error) {
	stop := control.AdminStop{By: caller.User, When: time.Now().UTC().Truncate(time.Second), Why: caller.Why}
	data, err := json.Marshal(stop)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(stopPath(stateDir, service)), 0o755)
	}
	if err == nil {
		err = renameio.WriteFile(stopPath(stateDir, service), append(data, '\n'), 0o644)
	}
	if err != nil {
		return stop, fmt.Errorf("cannot note the stop of %s, so it was not stopped: %w", service, err)
	}
	return stop, nil
}

func removeStop(stateDir, service string) error {
	err := os.Remove(stopPath(stateDir, service))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot take back the stop of %s: %w", service, err)
	}
	return nil
}
