package e2e

import (
	"cmp"
	"fmt"
	"os"
	"strings"
)

// figures are what a supervisor uses, and what must be as it was once the worst is over.
type figures struct {
	descriptors int
	memory      int // PSS of its own process, KiB
	children    int // alive
	zombies     int // dead, and not reaped
}

// figures reads them from /proc.
func (s *supervisor) figures() (f figures) {
	pid := s.process()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		s.t.Fatal(err)
	}
	f.descriptors = len(open)
	_, line, _ := strings.Cut(read(s.t, fmt.Sprintf("/proc/%d/smaps_rollup", pid)), "\nPss:")
	fmt.Sscan(line, &f.memory)
	for _, child := range pids() {
		switch state, parent := lineage(child); {
		case parent != pid:
		case state == "Z":
			f.zombies++
		default:
			f.children++
		}
	}
	return f
}

// process is the supervisor's own, where something else was started that started it.
func (s *supervisor) process() int { return cmp.Or(s.first, s.cmd.Process.Pid) }

// lineage is a process's state and parent; "" when it is gone.
func lineage(pid int) (state string, parent int) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	end := strings.LastIndex(string(stat), ")")
	if end < 0 {
		return "", 0
	}
	fmt.Sscan(string(stat)[end+1:], &state, &parent)
	return state, parent
}

// More than before the worst that a supervisor may have afterwards: what is warm may be on its way, and Go's heap breathes.
const (
	moreDescriptors = 8
	moreMemory      = 8 << 10 // KiB
)

// flat waits until a supervisor uses no more than before, and returns what it uses.
func (s *supervisor) flat(before figures) (now figures) {
	s.t.Helper()
	s.until("its figures are those from before", func() bool {
		now = s.figures()
		return now.descriptors <= before.descriptors+moreDescriptors && now.memory <= before.memory+moreMemory &&
			now.children <= before.children+2 && now.zombies == 0
	}, func() string { return fmt.Sprintf("%+v, before %+v", now, before) })
	return now
}
