package process

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what processes take. CPU is since they were started; Memory and Virtual are bytes.
type Usage struct {
	Memory, Virtual        uint64
	CPU                    time.Duration
	Descriptors, Processes int
}

// Usage of the tree, or false when nothing of it is there. Memory is what its cgroup is charged with, where memory is
// accounted for; elsewhere what is resident, in which pages that processes share count for each. Without a cgroup the
// tree is the leader and what descends from it. It costs some eight small files of the kernel's, and is read for whoever asks.
func (i *Incarnation) Usage() (u Usage, ok bool) {
	f := &i.host.files
	f.mu.Lock()
	defer f.mu.Unlock()
	if i.leaf == nil {
		for _, p := range subtree(i.pid) {
			f.add(&u, p.pid)
		}
		return u, u.Processes > 0
	}
	folders := []string{i.leaf.path}
	if hasFolders(i.leaf.path) {
		folders = i.leaf.folders()
	}
	for _, folder := range folders {
		f.addAll(&u, folder+"/cgroup.procs")
	}
	if n, ok := number(f.read(i.leaf.file("memory.current"))); ok {
		u.Memory = n
	}
	if _, rest, found := bytes.Cut(f.read(i.leaf.file("cpu.stat")), []byte("usage_usec ")); found {
		if n, ok := number(rest); ok {
			u.CPU = time.Duration(n) * time.Microsecond
		}
	}
	return u, u.Processes > 0
}

// OwnUsage is that of this process.
func OwnUsage() (u Usage) {
	var f kernelFiles
	f.add(&u, os.Getpid())
	return u
}

// hasFolders tells of a cgroup whether others lie in it, of which its links count one each. To list it would cost as much
// as all else.
func hasFolders(cgroup string) bool {
	var st unix.Stat_t
	return unix.Stat(cgroup, &st) != nil || st.Nlink != 2
}

// kernelFiles reads small files of the kernel's into one buffer: a thousand services would leave megabytes of garbage to
// each scrape.
type kernelFiles struct {
	mu     sync.Mutex
	buffer []byte
	pids   []int
}

// read returns what is in the file, until the next one is read; nothing where that cannot be.
func (f *kernelFiles) read(path string) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	if f.buffer == nil {
		f.buffer = make([]byte, 4096)
	}
	for size := 0; ; {
		n, err := unix.Read(fd, f.buffer[size:])
		switch size += max(n, 0); {
		case err == unix.EINTR:
		case err != nil:
			return nil
		case n == 0:
			return f.buffer[:size]
		case size == len(f.buffer):
			f.buffer = append(f.buffer, make([]byte, size)...)
		}
	}
}

// addAll counts the processes that a file lists.
func (f *kernelFiles) addAll(u *Usage, path string) {
	f.pids = f.pids[:0]
	for rest := f.read(path); len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if n, ok := number(line); ok && n > 0 { // 0: in a namespace that we do not see
			f.pids = append(f.pids, int(n))
		}
	}
	for _, pid := range f.pids {
		f.add(u, pid)
	}
}

// add counts a process, unless it is gone or dead.
func (f *kernelFiles) add(u *Usage, pid int) {
	dir := "/proc/" + strconv.Itoa(pid)
	one, ok := parseUsage(f.read(dir + "/stat"))
	if !ok {
		return
	}
	u.Memory += one.Memory
	u.Virtual += one.Virtual
	u.CPU += one.CPU
	u.Processes++
	u.Descriptors += countDescriptors(dir + "/fd")
}

// tickLength is a clock tick of /proc, the same on every machine that Go runs on.
const tickLength = 10 * time.Millisecond

// parseUsage reads of /proc/PID/stat times of the processor, with those of children that were waited for, address space
// and resident pages. A process that is dead, see proc, takes nothing.
func parseUsage(text []byte) (u Usage, ok bool) {
	var numbers [22]uint64
	rest := bytes.TrimLeft(text[bytes.LastIndexByte(text, ')')+1:], " ")
	if len(rest) == 0 {
		return u, false
	}
	state := rest[0]
	for i := range numbers {
		var field []byte
		var found bool
		if field, rest, found = bytes.Cut(rest, []byte{' '}); !found {
			return u, false
		}
		switch i {
		case 11, 12, 13, 14, 17, 20, 21:
			if numbers[i], ok = number(field); !ok {
				return u, false
			}
		}
	}
	if (state == 'Z' || state == 'X') && numbers[17] <= 1 {
		return u, false
	}
	ticks := numbers[11] + numbers[12] + numbers[13] + numbers[14]
	return Usage{CPU: time.Duration(ticks) * tickLength, Virtual: numbers[20], Memory: numbers[21] * uint64(os.Getpagesize())}, true
}

// number reads the one that a text begins with; the rest of its line is none of it.
func number(text []byte) (n uint64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return n, ok && c == '\n'
		}
		if n > 1<<58 {
			return 0, false
		}
		n, ok = n*10+uint64(c-'0'), true
	}
	return n, ok
}

// countDescriptors counts what is in /proc/PID/fd; 0 where that may not be seen. Since Linux 6.2 the size of the folder tells.
func countDescriptors(dir string) int {
	var st unix.Stat_t
	if unix.Stat(dir, &st) == nil && st.Size > 0 {
		return int(st.Size)
	}
	names, _ := readNames(dir)
	return len(names)
}
