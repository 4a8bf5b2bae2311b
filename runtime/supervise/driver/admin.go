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

// wish is what keeps a service down for an operator. Each is a file in a folder of its name in the state folder, which is
// there while it holds.
type wish string

const (
	stopWish       wish = "stopped"
	quarantineWish wish = "quarantined"
)

// admin is what operators want of a service; nil where they want nothing of the kind.
type admin struct {
	stop, quarantine *control.AdminStop
}

// readAdmin is what was kept over supervisors and reboots.
func readAdmin(stateDir, service string) admin {
	return admin{stop: stopWish.read(stateDir, service), quarantine: quarantineWish.read(stateDir, service)}
}

// down is the reason that everything shows while an operator keeps the service down, or "".
func (a admin) down() string {
	switch {
	case a.quarantine != nil:
		return quarantineWish.sentence(a.quarantine)
	case a.stop != nil:
		return stopWish.sentence(a.stop)
	}
	return ""
}

// state is what operators read of one that is in that state.
func (a admin) state(state control.State) control.State {
	if state == control.Stopped && a.quarantine != nil {
		return control.Quarantined
	}
	return state
}

func (w wish) sentence(by *control.AdminStop) string {
	text := fmt.Sprintf("%s by %s at %s", w, by.By, by.When.Format("2006-01-02 15:04:05 MST"))
	if by.Why != "" {
		text += ": " + by.Why
	}
	return text
}

// wish keeps what an operator wants on the disk, and then in the service; without caller, that it is wanted no longer.
func (sv *service) wish(w wish, caller *control.Caller) error {
	var noted *control.AdminStop
	var err error
	if caller != nil {
		noted, err = w.write(sv.sup.options.StateDir, sv.name, *caller)
	} else {
		err = w.remove(sv.sup.options.StateDir, sv.name)
	}
	if err != nil {
		return err
	}
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if w == quarantineWish {
		sv.admin.quarantine = noted
	} else {
		sv.admin.stop = noted
	}
	return nil
}

func (w wish) path(stateDir, service string) string {
	return filepath.Join(stateDir, string(w), service)
}

// read takes a file that cannot be read for one that holds: it was put there to keep the service down.
func (w wish) read(stateDir, service string) *control.AdminStop {
	data, err := os.ReadFile(w.path(stateDir, service))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	by := &control.AdminStop{}
	if err == nil {
		err = json.Unmarshal(data, by)
	}
	if err != nil {
		by = &control.AdminStop{By: "somebody", Why: fmt.Sprintf("the note of it cannot be read: %v", err)}
	}
	return by
}

// write is on the disk when it returns, also its name.
func (w wish) write(stateDir, service string, caller control.Caller) (*control.AdminStop, error) {
	by := &control.AdminStop{By: caller.User, When: time.Now().UTC().Truncate(time.Second), Why: caller.Why}
	path := w.path(stateDir, service)
	data, err := json.Marshal(by)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = renameio.WriteFile(path, append(data, '\n'), 0o644)
	}
	if err == nil {
		err = errors.Join(syncFolder(filepath.Dir(path)), syncFolder(stateDir))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot note that %s is to be %s, so it was left alone: %w", service, w, err)
	}
	return by, nil
}

// remove is on the disk when it returns.
func (w wish) remove(stateDir, service string) error {
	path := w.path(stateDir, service)
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("cannot take back that %s is to be %s: %w", service, w, err)
	}
	return nil
}

// syncFolder brings the names in a folder to the disk.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
