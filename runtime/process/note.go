package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A note stands from before a tree can exist until it is known to be empty. It says where a later supervisor has to
// look: "cgroup PATH", or "scan" where only /proc tells.
type note struct {
	leaf string // absolute path of the leaf's folder, or "" for a scan
}

// writeNote replaces the note by rename. Without fsync: a note need outlive its writer, but no boot.
func (h *Host) writeNote(service string, n note) error {
	text := "scan\n"
	if n.leaf != "" {
		text = "cgroup " + n.leaf + "\n"
	}
	path := h.path(leafDir, service)
	temporary := h.path(leafDir, "."+service)
	err := os.WriteFile(temporary, []byte(text), 0o600)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return fmt.Errorf("cannot note where service %s runs: %w", service, err)
	}
	return nil
}

func (h *Host) removeNote(service string) error {
	if err := os.Remove(h.path(leafDir, service)); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// readNote returns nil where there is none.
func (h *Host) readNote(service string) (*note, error) {
	text, err := os.ReadFile(h.path(leafDir, service))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read where service %s ran: %w", service, err)
	}
	return parseNote(string(text), service), nil
}

// parseNote takes whatever it does not understand for a scan, and never a path that is not a leaf of
// the service, or one made before it was known whose it would be.
func parseNote(text, service string) *note {
	path, ok := strings.CutPrefix(strings.TrimSuffix(text, "\n"), "cgroup ")
	if !ok || strings.ContainsRune(path, '\n') || !filepath.IsAbs(path) || filepath.Clean(path) != path {
		return &note{}
	}
	for _, owner := range []string{service, spareService} {
		if strings.HasPrefix(filepath.Base(path), leafPrefix+owner+"-") {
			return &note{leaf: path}
		}
	}
	return &note{}
}
