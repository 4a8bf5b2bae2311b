package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mentioning lists the processes that have text in their arguments or environment; zombies have neither.
func mentioning(text string) []int {
	var found []int
	for _, pid := range pids() {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		arguments, _ := os.ReadFile(dir + "/cmdline")
		environment, _ := os.ReadFile(dir + "/environ")
		if pid != os.Getpid() && (bytes.Contains(arguments, []byte(text)) || bytes.Contains(environment, []byte(text))) {
			found = append(found, pid)
		}
	}
	return found
}

func pids() []int {
	entries, _ := os.ReadDir("/proc")
	var list []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

// children of a process, zombies left out.
func children(parent int) []int {
	var list []int
	for _, pid := range pids() {
		if fields := stat(pid); len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(parent) {
			list = append(list, pid)
		}
	}
	return list
}

// stat gives the fields of /proc/PID/stat from the state on, or nil when the process is gone.
func stat(pid int) []string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

// name is argv[0] of a process.
func name(pid int) string {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	first, _, _ := strings.Cut(string(text), "\x00")
	return first
}

// named keeps the processes whose argv[0] ends in the name.
func named(list []int, suffix string) []int {
	var kept []int
	for _, pid := range list {
		if filepath.Base(name(pid)) == suffix {
			kept = append(kept, pid)
		}
	}
	return kept
}
