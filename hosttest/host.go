// Package hosttest boots a Debian in a container of systemd-nspawn, for tests that need a real init, dpkg and accounts.
// The tree that it boots is cached and never written to: what a test changes lies on a tmpfs that goes with it.
//
//	host := hosttest.Boot(t)
//	host.Copy("foo.deb", "/root/foo.deb")
//	host.Must("dpkg", "-i", "/root/foo.deb")
//
// Rules:
//   - The container has its own network, so that ports clash neither with the machine nor with other tests.
//   - Everything lives in a mount and a PID namespace that end with the test, also with one that is killed: nothing is
//     left mounted or running, and nothing is ended but what Boot started.
//
// Tests: TestDebOnHost, which is also why it exists.
package hosttest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Host is a booted Debian.
type Host struct {
	t    testing.TB
	init int // pid of its init, as this machine sees it
}

// overlay lays a tmpfs over a tree in a mount namespace of its own, then becomes the rest of its arguments there. It
// ends when its descriptor 3 does, whose other end is this process's: a test that is killed leaves nothing running.
const overlay = `
set -eu
(read -r _ <&3 || kill $$) >/dev/null 2>&1 &
exec 3<&-
tree=$1 dir=$2 cgroup=$3
shift 3
if [ -n "$cgroup" ]; then echo $$ >"$cgroup/cgroup.procs"; fi
mount -t tmpfs -o size=2g recipe "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$dir/upper,workdir=$dir/work" "$dir/root" 2>/dev/null ||
	cp -a "$tree/." "$dir/root/"
cd "$dir/root"
exec "$@"
`

func inOverlay(t testing.TB, cgroup string, command ...string) *exec.Cmd {
	args := append([]string{"--mount", "--propagation", "private", "sh", "-c", overlay, "overlay", Debian(t), t.TempDir(), cgroup}, command...)
	cmd := exec.Command("unshare", args...)
	life, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { life.Close(); end.Close() })
	cmd.ExtraFiles = []*os.File{life}
	cmd.WaitDelay = time.Second
	return cmd
}

// Boot starts a Debian and waits until its systemd is up, in less than a second.
func Boot(t testing.TB) *Host {
	t.Helper()
	var console bytes.Buffer
	cmd := inOverlay(t, leaf(t), "systemd-nspawn", "--quiet", "--directory=.", "--machine="+fmt.Sprintf("recipe-%d", os.Getpid()),
		"--register=no", "--keep-unit", "--link-journal=no", "--private-network", "--boot", "systemd.show_status=no")
	cmd.Env = append(os.Environ(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1") // as Debian boots
	cmd.Stdout, cmd.Stderr = &console, &console
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot boot: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	h := &Host{t: t}
	t.Cleanup(func() {
		if h.init != 0 {
			syscall.Kill(h.init, syscall.SIGKILL) // and with it everything in its PID namespace, then nspawn ends
		} else {
			cmd.Process.Kill()
		}
		<-ended
	})
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if h.init = initOf(cmd.Process.Pid); h.init != 0 && h.up() {
			break
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("cannot boot: %v\n%s", err, console.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("cannot boot: systemd does not answer")
		}
	}
	h.Must("systemctl", "is-system-running", "--wait")
	return h
}

func (h *Host) up() bool {
	_, err := os.Stat(h.Path("/run/systemd/private"))
	return err == nil
}

// initOf is the child of nspawn that is 1 in a PID namespace of its own, or 0 while there is none.
func initOf(nspawn int) int {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", nspawn))
	for _, child := range strings.Fields(string(children)) {
		status, _ := os.ReadFile("/proc/" + child + "/status")
		for _, line := range strings.Split(string(status), "\n") {
			if pids := strings.Fields(line); len(pids) == 3 && pids[0] == "NSpid:" && pids[2] == "1" {
				pid, _ := strconv.Atoi(child)
				return pid
			}
		}
	}
	return 0
}

// leaf makes a cgroup for the container, since two of them would meet in the same. "" where none can be made.
func leaf(t testing.TB) string {
	for _, root := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if _, err := os.Stat(root + "/cgroup.procs"); err != nil {
			continue
		}
		dir, err := os.MkdirTemp(root, "hosttest-")
		if err != nil {
			break
		}
		t.Cleanup(func() {
			removeGroups(dir)
			removeGroups(filepath.Join("/sys/fs/cgroup/systemd", filepath.Base(dir))) // nspawn's twin where both versions are mounted
		})
		return dir
	}
	return ""
}

// removeGroups removes a tree of cgroups from its leaves. What dies in them may take a moment.
func removeGroups(dir string) {
	for range 50 {
		var dirs []string
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for i := range dirs {
			os.Remove(dirs[len(dirs)-1-i])
		}
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Path is where this machine sees a path of the host's, as long as no link of the host's lies in it.
func (h *Host) Path(path string) string { return fmt.Sprintf("/proc/%d/root%s", h.init, path) }

// Command runs in the host's namespaces, as its root.
func (h *Host) Command(command ...string) *exec.Cmd {
	args := append([]string{"--target", fmt.Sprint(h.init), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wdns=/", "--"}, command...)
	cmd := exec.Command("nsenter", args...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	return cmd
}

// Try returns what a command writes, without the last line end, and whether it ended with 0.
func (h *Host) Try(command ...string) (string, error) {
	out, err := h.Command(command...).CombinedOutput()
	return strings.TrimRight(string(out), "\n"), err
}

// Must is Try of a command that has to succeed.
func (h *Host) Must(command ...string) string {
	h.t.Helper()
	out, err := h.Try(command...)
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

// Copy puts a file of this machine on the host.
func (h *Host) Copy(from, to string) {
	h.t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Write(to, string(data))
}

// Write puts a text into a file of the host.
func (h *Host) Write(path, text string) {
	h.t.Helper()
	if err := os.WriteFile(h.Path(path), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// Within waits until a condition holds, and returns how long that took. The error says what is still missing.
func (h *Host) Within(limit time.Duration, condition func() error) time.Duration {
	h.t.Helper()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := condition()
		if err == nil {
			return time.Since(begin)
		}
		if time.Since(begin) > limit {
			h.t.Fatalf("not within %s: %v", limit, err)
		}
	}
}
