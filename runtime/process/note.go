package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A note stands from before a tree can exist and says where a later supervisor has to look: "cgroup PATH", which stays, and
// after the leaf is gone means nothing any more; or "scan" where only /proc tells, until the tree is known to be empty.
type note struct {
	leaf string // absolute path of the leaf's folder, or "" for a scan
}

// writeNote writes over the note, of which nothing is left to be found: should we die before the words are there, an empty
// one is a scan. Without fsync: a note need outlive its writer, but no boot.
func (h *Host) writeNote(service string, n note) error {
	text := "scan\n"
	if n.leaf != "" {
		text = "cgroup " + n.leaf + "\n"
	}
	if err := os.WriteFile(h.path(leafDir, service), []byte(text), 0o600); err != nil {
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
