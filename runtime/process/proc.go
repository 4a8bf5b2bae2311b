package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// proc is what /proc/PID/stat tells of a process. pid and started together name it for ever.
type proc struct {
	pid, parent, group, session int
	state                       byte   // of its first thread
	threads                     int    // the first one counts even when it is dead
	started                     uint64 // clock ticks since boot
}

// dead means that it runs no more code and holds nothing, though its parent has not reaped it. A first thread that has
// ended says nothing about the others.
func (p proc) dead() bool { return (p.state == 'Z' || p.state == 'X') && p.threads <= 1 }

func readProc(pid int) (proc, bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, false
	}
	return parseStat(text)
}

// parseStat reads "PID (NAME) STATE PARENT GROUP SESSION ...", where NAME may hold anything, ")" included.
func parseStat(text []byte) (proc, bool) {
	open, shut := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 2 || shut < open {
		return proc{}, false
	}
	fields := strings.Fields(string(text[shut+1:]))
	if len(fields) < 20 || len(fields[0]) != 1 {
		return proc{}, false
	}
	var numbers [5]int
	for i, field := range []string{strings.TrimSpace(string(text[:open])), fields[1], fields[2], fields[3], fields[17]} {
		n, err := strconv.Atoi(field)
		if err != nil {
			return proc{}, false
		}
		numbers[i] = n
	}
	started, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return proc{}, false
	}
	return proc{
		pid: numbers[0], parent: numbers[1], group: numbers[2], session: numbers[3],
		state: fields[0][0], threads: numbers[4], started: started,
	}, true
}

// WaitsFor tells what the leader, which has not become the daemon, is about: its state, and where in the kernel it waits.
func (i *Incarnation) WaitsFor() string {
	p, ok := readProc(i.pid)
	if !ok {
		return fmt.Sprintf("process %d is gone", i.pid)
	}
	text := fmt.Sprintf("process %d still prepares it", i.pid)
	where, err := os.ReadFile("/proc/" + strconv.Itoa(i.pid) + "/wchan")                        // for root alone
	idle := strings.Contains(string(where), "futex") || strings.Contains(string(where), "poll") // for others of its own
	if err == nil && len(where) > 1 && !idle {
		text += ", and waits in the kernel in " + string(where)
	}
	if p.state == 'D' {
		text += "; nothing can end it there, most likely since a disk or a network file system does not answer"
	}
	return text
}

// snapshot lists the processes of the machine. One that lives through the whole call is never missed.
func snapshot() ([]proc, error) {
	names, err := readNames("/proc")
	if err != nil {
		return nil, err
	}
	all := make([]proc, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, ok := readProc(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// children lists the direct children of the process from /proc/PID/task/*/children. A sibling that dies during the
// read may hide another from it, so what counts as none is two reads without any. ok is false where the kernel was
// built without these files.
func children(pid int) (pids []int, ok bool) {
	base := "/proc/" + strconv.Itoa(pid) + "/task"
	tasks, err := readNames(base)
	if err != nil {
		return nil, false
	}
	for _, task := range tasks {
		text, err := os.ReadFile(filepath.Join(base, task, "children"))
		if os.IsNotExist(err) && task == strconv.Itoa(pid) {
			return nil, false
		}
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids, true
}

// subtree is the process and all that descend from it, as far as it lives.
func subtree(pid int) []proc {
	p, ok := readProc(pid)
	if !ok {
		return nil
	}
	found := []proc{p}
	for at := 0; at < len(found); at++ {
		pids, ok := children(found[at].pid)
		if !ok && at == 0 {
			all, _ := snapshot()
			return descendants(all, func(q proc) bool { return q.pid == pid })
		}
		for _, child := range pids {
			if p, ok := readProc(child); ok {
				found = append(found, p)
			}
		}
	}
	return found
}

// descendants selects the processes that root accepts and all below them.
func descendants(all []proc, root func(proc) bool) []proc {
	in := map[int]bool{}
	var found []proc
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if !in[p.pid] && (in[p.parent] || root(p)) {
				in[p.pid], grown = true, true
				found = append(found, p)
			}
		}
	}
	return found
}

// ancestors of this process, itself included: what must never be killed.
func ancestors() map[int]bool {
	found := map[int]bool{}
	for pid := os.Getpid(); pid > 0 && !found[pid]; {
		found[pid] = true
		p, ok := readProc(pid)
		if !ok {
			break
		}
		pid = p.parent
	}
	return found
}

// environMarker is the value of the marker in a process's environment as it was at its exec, or "".
func environMarker(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return ""
	}
	prefix := []byte(markerName + "=")
	for len(text) > 0 {
		var variable []byte
		variable, text, _ = bytes.Cut(text, []byte{0})
		if value, ok := bytes.CutPrefix(variable, prefix); ok {
			return string(value)
		}
	}
	return ""
}

// holdsLock tells whether the process has a descriptor through which one of the files is locked. A descriptor of a
// backup program that merely reads the file is none. Only what is named like a lock is looked at more closely, since a
// stat of an arbitrary file can hang on a dead file server.
func holdsLock(pid int, files []inode) (inode, bool) {
	base := "/proc/" + strconv.Itoa(pid)
	descriptors, err := readNames(base + "/fd")
	if err != nil {
		return inode{}, false
	}
	for _, fd := range descriptors {
		target, err := os.Readlink(base + "/fd/" + fd)
		if err != nil || !strings.HasSuffix(filepath.Dir(strings.TrimSuffix(target, " (deleted)")), "/"+locksDir+"/"+incarnationDir) {
			continue
		}
		info, err := os.Stat(base + "/fd/" + fd)
		if err != nil {
			continue
		}
		at := slices.Index(files, inodeOf(info))
		if at < 0 {
			continue
		}
		if details, err := os.ReadFile(base + "/fdinfo/" + fd); err == nil && bytes.Contains(details, []byte("FLOCK")) {
			return files[at], true
		}
	}
	return inode{}, false
}

// inode names an open file.
type inode struct{ device, number uint64 }

func inodeOf(info os.FileInfo) inode {
	stat := info.Sys().(*syscall.Stat_t)
	return inode{uint64(stat.Dev), stat.Ino}
}

// commandLine is how a process was called, for messages.
func commandLine(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil || len(text) == 0 {
		name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		if err != nil {
			return "gone"
		}
		return strings.TrimSpace(string(name))
	}
	arguments := strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
	arguments[0] = filepath.Base(arguments[0])
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.Join(arguments, " "))
	if len(line) > 120 {
		line = strings.ToValidUTF8(line[:117], "") + "..."
	}
	return line
}
