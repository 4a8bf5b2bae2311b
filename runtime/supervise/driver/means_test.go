package driver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMeansAreOfThisProcess: a file that the kernel does not tell of is said, PID 1 has others than any other, and SPEC.md lists
// all promises.
func TestMeansAreOfThisProcess(t *testing.T) {
	t.Parallel()
	r := begun(t, planOf(serviceOf("a", "exec sleep 1000")))
	r.pidOf("a")
	before := r.watching()
	if _, err := r.watcher.Add("/proc/version"); err != nil {
		t.Fatal(err)
	}
	if now := r.watching(); before == now || !strings.Contains(now, " are looked at every 5s") || !strings.Contains(now, "/proc/version: its file system, of type 0x9fa0, does not tell of every change") {
		t.Errorf("of files it says %q, and before there was one of /proc %q", now, before)
	}
	spec, err := os.ReadFile(filepath.Join("..", "..", "..", "SPEC.md"))
	if err != nil {
		t.Fatal(err)
	}
	ordinary := r.Supervisor.Supervisor(context.Background())
	for i, first := range r.means(true, "process 0 (x)") {
		switch other := ordinary.Means[i].By; first.Promise {
		case "killed", "restart", "orphans":
			if !strings.Contains(first.By, "it is PID 1") || strings.Contains(other, "it is PID 1") {
				t.Errorf("of %s PID 1 says %q, and another %q", first.Promise, first.By, other)
			}
		case "output":
			if strings.Contains(first.By, "kill") || !strings.Contains(other, "kill") {
				t.Errorf("PID 1 says %q, and another %q", first.By, other)
			}
		default:
			if first.By != other {
				t.Errorf("of %s PID 1 says %q, and another %q", first.Promise, first.By, other)
			}
		}
		if !strings.Contains(string(spec), "\n| "+first.Promise+" | ") {
			t.Errorf("SPEC.md does not list %s", first.Promise)
		}
	}
}
