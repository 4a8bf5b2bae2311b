package process

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A note stands from before a tree can exist and says where a later supervisor has to look: "cgroup PATH", which stays, and
// after the leaf is gone means nothing any more; or "scan" where only /proc tells, until the tree is known to be empty. It
// is the first line of the lock file by which the service is claimed: that is open, and in nobody else's hands.
type note struct {
	leaf string // absolute path of the leaf's folder, or "" for a scan
}

// writeNote writes over the last note, of which nothing is left to be found. Without fsync: a note need outlive its writer,
// but no boot.
func (h *Host) writeNote(service string, n note) error {
	text := "scan"
	if n.leaf != "" {
		text = "cgroup " + n.leaf
	}
	return h.overwriteNote(service, text)
}

func (h *Host) removeNote(service string) error { return h.overwriteNote(service, "") }

func (h *Host) overwriteNote(service, line string) error {
	file, err := h.claim(service)
	if err == nil {
		_, err = file.WriteAt([]byte(line+"\n"), 0)
	}
	if err != nil {
		return fmt.Errorf("cannot note where service %s runs: %w", service, err)
	}
	return nil
}

// longestNote is in bytes: a path and a word.
const longestNote = 4096 + 16

// readNote returns nil where there is none.
func (h *Host) readNote(service string) (*note, error) {
	text := make([]byte, longestNote)
	file, err := h.claim(service)
	n := 0
	if err == nil {
		n, err = file.ReadAt(text, 0)
	}
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("cannot read where service %s ran: %w", service, err)
	}
	line, _, _ := strings.Cut(string(text[:n]), "\n")
	if line == "" {
		return nil, nil
	}
	return parseNote(line, service), nil
}

func (h *Host) claim(service string) (*os.File, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if file := h.claims[service]; file != nil {
		return file, nil
	}
	return nil, errNotClaimed
}

// parseNote takes whatever it does not understand for a scan, and never a path that is not a leaf of
// the service, or one made before it was known whose it would be.
func parseNote(text, service string) *note {
	path, ok := strings.CutPrefix(text, "cgroup ")
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
