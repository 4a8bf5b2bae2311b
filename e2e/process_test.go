package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mentioning lists the processes that have text in their arguments, environment or working directory; zombies have none.
func mentioning(text string) []int {
	var found []int
	for _, pid := range pids() {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		arguments, _ := os.ReadFile(dir + "/cmdline")
		environment, _ := os.ReadFile(dir + "/environ")
		place, _ := os.Readlink(dir + "/cwd")
		all := slices.Concat(arguments, []byte{0}, environment, []byte{0}, []byte(place))
		if pid != os.Getpid() && bytes.Contains(all, []byte(text)) {
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

// arguments of a process; none when it is gone.
func arguments(pid int) []string {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// name is argv[0] of a process.
func name(pid int) string {
	if all := arguments(pid); len(all) > 0 {
		return all[0]
	}
	return ""
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

// childrenOf are a process's children, as the kernel lists them for each of its threads.
func childrenOf(pid int) (found []int) {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	threads, _ := os.ReadDir(dir)
	for _, thread := range threads {
		text, _ := os.ReadFile(filepath.Join(dir, thread.Name(), "children"))
		for field := range strings.FieldsSeq(string(text)) {
			child, _ := strconv.Atoi(field)
			found = append(found, child)
		}
	}
	return found
}

// descends tells whether a process lives that is not more than six generations below top.
func descends(pid, top int) bool {
	for range 6 {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after)
		if len(fields) < 2 || fields[0] == "Z" {
			return false
		}
		if pid, _ = strconv.Atoi(fields[1]); pid == top {
			return true
		}
	}
	return false
}

// pss is what a process has of the memory, in KiB.
func pss(t *testing.T, pid int) (kib int) {
	t.Helper()
	_, line, _ := strings.Cut(read(t, fmt.Sprintf("/proc/%d/smaps_rollup", pid)), "\nPss:")
	fmt.Sscan(line, &kib)
	return kib
}

// anonymous is what a process has of the memory for itself, in KiB: of its PSS much depends on who else runs the program.
func anonymous(t *testing.T, pid int) (kib int) {
	t.Helper()
	_, line, _ := strings.Cut(read(t, fmt.Sprintf("/proc/%d/status", pid)), "\nRssAnon:")
	fmt.Sscan(line, &kib)
	return kib
}
