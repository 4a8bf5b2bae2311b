package logs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"recipe/runtime/plan"
)

// TestIdleCostsNextToNothing: a thousand services that have said something, and are silent now, hold no goroutine but the
// one for all, no buffer, no file, and little else.
func TestIdleCostsNextToNothing(t *testing.T) {
	const services = 1000
	most := uint64(1536) // bytes each; one that says more has its last 512 bytes kept beside
	c, dir := collector(t), t.TempDir()
	logs := make([]*Log, services)
	t.Cleanup(func() {
		for _, l := range logs {
			l.Close()
		}
	})
	goroutines, before := runtime.NumGoroutine(), heap()
	for i := range logs {
		l, err := c.Open(dir, fmt.Sprintf("service-%d", i), plan.DefaultLogs(), nil)
		if err != nil {
			t.Fatal(err)
		}
		logs[i] = l
	}
	for i, l := range logs {
		fmt.Fprintf(l.Writer(), "starting\nlistening on %d\n", i)
	}
	for _, l := range logs {
		drain(t, l)
	}
	eventually(t, func() bool { return c.resting() && openBelow(t, dir) == 0 && runtime.NumGoroutine() <= goroutines })
	each := (heap() - before) / services
	t.Logf("an idle log costs %d bytes, and all of them %d goroutines", each, runtime.NumGoroutine()-goroutines)
	if each > most {
		t.Errorf("more than %d", most)
	}
	// Each goes on where it was.
	for _, l := range logs {
		io.WriteString(l.Writer(), "more\n")
	}
	for i, l := range logs {
		drain(t, l)
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("service-%d.log", i)))
		if err != nil || !strings.HasSuffix(string(text), fmt.Sprintf("\nlistening on %d\nmore\n", i)) {
			t.Fatalf("%q, %v", text, err)
		}
	}
}

// resting reports that the collector holds no memory and will not wake up by itself.
func (c *Collector) resting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	return !c.tidying && c.memory.held == 0
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// openBelow counts the files in the directory that this process has open.
func openBelow(t *testing.T, dir string) (n int) {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list {
		if path, err := os.Readlink("/proc/self/fd/" + one.Name()); err == nil && strings.HasPrefix(path, dir) {
			n++
		}
	}
	return n
}
