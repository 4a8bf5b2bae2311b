package process

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Belongs tells whether the process is one of the tree now. One that has ended is none any more, but for the leader.
func (i *Incarnation) Belongs(pid int) bool {
	if pid == i.pid {
		return true
	}
	if i.leaf != nil {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
		return err == nil && inCgroup(string(text), filepath.Base(i.leaf.path))
	}
	p, ok := readProc(pid)
	if !ok || p.dead() {
		return false
	}
	for at, us := p, os.Getpid(); at.parent > 1 && at.parent != us; {
		if at.parent == i.pid {
			return true
		}
		if at, ok = readProc(at.parent); !ok {
			break
		}
	}
	mine, _ := i.recognise([]proc{p}, i.host.lockInodes(i.service))
	return mine
}

// inCgroup tells from /proc/PID/cgroup whether the process is in the leaf of that name or below it. The name holds the
// incarnation's random ID, so that it is nowhere else.
func inCgroup(membership, leaf string) bool {
	for line := range strings.Lines(membership) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return slices.Contains(strings.Split(path, "/"), leaf)
		}
	}
	return false
}
