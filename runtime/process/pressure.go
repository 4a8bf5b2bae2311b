package process

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// Frozen tells whether somebody keeps the tree's cgroup frozen, and how long it has been frozen altogether, which the kernel
// counts since Linux 6.18. Without a cgroup it is never known to be.
func (i *Incarnation) Frozen() (now bool, total time.Duration) {
	if i.leaf == nil {
		return false, 0
	}
	now = i.leaf.counter("cgroup.events", "frozen") == 1
	return now, microseconds(i.leaf.counter("cgroup.stat.local", "frozen_usec"))
}

// Starved is how long altogether no process of the tree ran though some wanted to. What the CPU limit of the service itself
// took is left out. Without a cgroup, or where the kernel measures no pressure, it is 0.
func (i *Incarnation) Starved() time.Duration {
	if i.leaf == nil {
		return 0
	}
	waited := i.leaf.counter("cpu.pressure", "full")
	if waited == 0 {
		return 0
	}
	return microseconds(max(0, waited-i.leaf.counter("cpu.stat", "throttled_usec")))
}

func microseconds(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// counter reads a number from one of the leaf's files, or 0 where there is none.
func (l leaf) counter(file, name string) int64 {
	text, err := os.ReadFile(l.file(file))
	if err != nil {
		return 0
	}
	return parseCounter(string(text), name)
}

// parseCounter reads "NAME NUMBER", or the total of a line of pressure, "NAME avg10=0.00 ... total=NUMBER".
func parseCounter(text, name string) int64 {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != name {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimPrefix(fields[len(fields)-1], "total="), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}
