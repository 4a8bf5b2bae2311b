package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recipe/runtime/control"
)

// TestStatusTellsByWhichMeans each promise is kept: as root with a cgroup and as nobody without, with an init and without one,
// what it says is what the kernel says.
func TestStatusTellsByWhichMeans(t *testing.T) {
	t.Parallel()
	eachUser(t, func(t *testing.T, h *home) {
		recipe := h.write("sleeper.star", `service(name = "sleeper", command = ["/bin/sleep", "1000000"])`)
		v := h.run(recipe)
		means, pid := h.means("sleeper")
		tree := strings.TrimPrefix(means["tree"], "cgroup ")
		contained := tree != means["tree"]
		leaf := ""
		for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/cgroup", pid))) {
			if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok && strings.HasPrefix(filepath.Base(path), "recipe-") {
				leaf = filepath.Join(tree, filepath.Base(path))
			}
		}
		if contained != (leaf != "") {
			t.Errorf("it says %q, and the daemon is in %s", means["tree"], read(t, fmt.Sprintf("/proc/%d/cgroup", pid)))
		}
		if h.uid >= 0 && contained {
			t.Errorf("nobody has a cgroup: %s", means["tree"])
		}
		_, lacks, _ := strings.Cut("; "+means["limits"], "; no ")
		for _, controller := range []string{"memory", "cpu", "pids"} {
			_, err := os.Lstat(filepath.Join(leaf, controller+".max"))
			if has := leaf != "" && err == nil; has == strings.Contains(lacks, controller) {
				t.Errorf("it says of limits %q; that %s is there is %t", means["limits"], controller, has)
			}
		}
		if locks := filepath.Join(h.dir, "run", "locks"); !strings.HasSuffix(means["never-two"], " "+locks) || !slices.Contains(openFiles(pid), filepath.Join(locks, "incarnation", "sleeper")) {
			t.Errorf("it says %q, and the daemon has %q", means["never-two"], openFiles(pid))
		}
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", v.cmd.Process.Pid))
		forks := false
		for _, thread := range threads {
			children, _ := os.ReadFile(thread) // a thread may have ended
			for child := range strings.FieldsSeq(string(children)) {
				line, _ := os.ReadFile("/proc/" + child + "/cmdline")
				forks = forks || strings.HasPrefix(string(line), "recipe-fork")
			}
		}
		if forks != strings.HasPrefix(means["starts"], "a forker") {
			t.Errorf("it says %q; that there is a forker is %t", means["starts"], forks)
		}
		for promise, want := range map[string]string{
			"killed": "is ended by the next supervisor, before it starts any: no init listens", "restart": fmt.Sprintf("its parent, process %d (", os.Getpid()),
			"hang": "nobody: no init listens", "orphans": "a subreaper", "output": "after a kill nobody reads it",
		} {
			if !strings.Contains(means[promise], want) {
				t.Errorf("it says of %s %q", promise, means[promise])
			}
		}
		v.kill()

		l := h.listening()
		if err := os.Chmod(filepath.Join(h.dir, "notify"), 0o777); err != nil {
			t.Fatal(err)
		}
		cmd := h.command(program, "run", recipe)
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+filepath.Join(h.dir, "notify"), "FDSTORE=100", "WATCHDOG_USEC=60000000")
		h.start(cmd)
		l.until("READY=1")
		means, _ = h.means("sleeper")
		killed, output := "no cgroup holds a daemon together", "after a kill nobody reads it"
		if contained {
			killed, output = "are adopted by the next supervisor", "the init keeps it over a kill"
		}
		if !strings.Contains(means["killed"], killed) || !strings.Contains(means["output"], output) || !strings.HasPrefix(means["hang"], "the init, which waits for a sign of life for 1m0s") {
			t.Errorf("with an init: %v", means)
		}
	})
}

// openFiles are the paths of a process's descriptors.
func openFiles(pid int) (paths []string) {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		path, _ := os.Readlink(link)
		paths = append(paths, path)
	}
	return paths
}

// means are what the supervisor says of itself, by promise, and the pid of its one service.
func (h *home) means(recipe string) (means map[string]string, pid int) {
	h.t.Helper()
	pid = h.becomes("is up", recipe, "sleeper", func(s control.Status) bool { return s.IsUp() }).PID
	told, err := control.NewClient(control.SocketPath(filepath.Join(h.dir, "run"), recipe)).Supervisor(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	means = map[string]string{}
	for _, mean := range told.Means {
		means[mean.Promise] = mean.By
	}
	return means, pid
}
