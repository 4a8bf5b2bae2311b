package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what processes take. CPU is since they were started; Memory and Virtual are bytes.
type Usage struct {
	Memory, Virtual        uint64
	CPU                    time.Duration
	Descriptors, Processes int
}

// Usage of the tree, or false when nothing of it is there. Memory is what its cgroup is charged with, where memory is
// accounted for; elsewhere what is resident, in which pages that processes share count for each. Without a cgroup the
// tree is the leader and what descends from it. It costs some ten small files of the kernel's, and is read for whoever asks.
func (i *Incarnation) Usage() (Usage, bool) {
	var u Usage
	for _, p := range i.tree() {
		u.add(p.pid)
	}
	if u.Processes == 0 {
		return u, false
	}
	if i.leaf != nil {
		if n, ok := i.leaf.number("memory.current"); ok {
			u.Memory = n
		}
		if cpu := i.leaf.counter("cpu.stat", "usage_usec"); cpu > 0 {
			u.CPU = microseconds(cpu)
		}
	}
	return u, true
}

// OwnUsage is that of this process.
func OwnUsage() Usage {
	var u Usage
	u.add(os.Getpid())
	return u
}

func (i *Incarnation) tree() []proc {
	if i.leaf == nil {
		return subtree(i.pid)
	}
	return i.leaf.members()
}

// number reads a file that holds nothing else.
func (l leaf) number(file string) (uint64, bool) {
	text, err := os.ReadFile(l.file(file))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	return n, err == nil
}

// add counts a process, unless it is gone or dead.
func (u *Usage) add(pid int) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return
	}
	one, ok := parseUsage(text)
	if !ok {
		return
	}
	u.Memory += one.Memory
	u.Virtual += one.Virtual
	u.CPU += one.CPU
	u.Processes++
	u.Descriptors += countDescriptors(pid)
}

// tickLength is a clock tick of /proc, the same on every machine that Go runs on.
const tickLength = 10 * time.Millisecond

// parseUsage reads of /proc/PID/stat what parseStat does not: times of the processor, with those of children that were waited
// for, address space and resident pages.
func parseUsage(text []byte) (u Usage, ok bool) {
	p, ok := parseStat(text)
	if !ok || p.dead() {
		return u, false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 22 {
		return u, false
	}
	var numbers [6]uint64
	for i, field := range []string{fields[11], fields[12], fields[13], fields[14], fields[20], fields[21]} {
		n, err := strconv.ParseUint(field, 10, 63)
		if err != nil {
			return u, false
		}
		numbers[i] = n
	}
	ticks := numbers[0] + numbers[1] + numbers[2] + numbers[3]
	return Usage{
		CPU: time.Duration(ticks) * tickLength, Virtual: numbers[4], Memory: numbers[5] * uint64(os.Getpagesize()),
	}, true
}

// countDescriptors counts those of a process; 0 where they may not be seen. Since Linux 6.2 the size of the folder tells.
func countDescriptors(pid int) int {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	if info, err := os.Stat(dir); err == nil && info.Size() > 0 {
		return int(info.Size())
	}
	names, _ := readNames(dir)
	return len(names)
}
