package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Parentage is the only link to a daemon: no file that a run leaves, while it lasts or after, holds a pid.
func TestNoPidfile(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	args, web := ports(t)
	s := h.run(append(args, "--dev", h.tour())...)
	h.becomesHealthy("foo", "foo")
	tell(web + "/do/fork")
	h.must("restart", "foo")
	h.becomesHealthy("foo", "foo")
	known := mentioning(h.dir)
	if len(known) < 2 {
		t.Fatalf("%d processes of the run are seen, want supervisor and daemon", len(known))
	}
	noPidfile(h, known)
	s.kill() // so that nothing is tidied up
	noPidfile(h, known)
}

func noPidfile(h *home, pids []int) {
	h.t.Helper()
	files := 0
	filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		files++
		if strings.HasSuffix(path, ".pid") {
			h.t.Errorf("%s is named like a pidfile", path)
		}
		if info, err := entry.Info(); err != nil || info.Size() > 4096 {
			return nil
		}
		text, _ := os.ReadFile(path)
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && slices.Contains(pids, n) {
			h.t.Errorf("%s holds the pid %d", path, n)
		}
		return nil
	})
	if files == 0 {
		h.t.Error("the run left no file at all: nothing was looked at")
	}
}
