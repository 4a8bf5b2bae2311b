package process

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Contains reports whether a cgroup holds trees together.
func (h *Host) Contains() bool { return h.cgroup != "" }

// Locks is the folder of the lock files.
func (h *Host) Locks() string { return filepath.Join(h.options.RuntimeDir, locksDir) }

// Starts says what makes daemons, for an operator.
func (h *Host) Starts() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	why := ""
	switch {
	case !canFork:
		why = "this build has no forker"
	case h.unforked != nil:
		why = fmt.Sprintf("the kernel refuses a forker's clone: %v", h.unforked)
	case h.options.NoForker:
		why = "a forker is not wanted"
	case h.forker == nil:
		why = "there is no forker just now"
	default:
		return "a forker's clone; a launcher where something is to be prepared"
	}
	return "a launcher: " + why
}

// Bounds says which limits of a whole tree hold, for an operator: those whose controllers are given to leaves.
func (h *Host) Bounds() string {
	if h.cgroup == "" {
		return "no memory, cpu and pids: no cgroup holds a tree"
	}
	text, err := os.ReadFile(filepath.Join(h.cgroup, "cgroup.subtree_control"))
	if err != nil {
		return fmt.Sprintf("not known: %v", err)
	}
	given := strings.Fields(string(text))
	var has, lacks []string
	for _, controller := range controllers {
		if slices.Contains(given, controller) {
			has = append(has, controller)
		} else {
			lacks = append(lacks, controller)
		}
	}
	var parts []string
	if len(has) > 0 {
		parts = append(parts, strings.Join(has, ", ")+" by controllers of the cgroup")
	}
	if len(lacks) > 0 {
		parts = append(parts, fmt.Sprintf("no %s: %s has no such controller for its leaves", strings.Join(lacks, ", "), h.cgroup))
	}
	return strings.Join(parts, "; ")
}
