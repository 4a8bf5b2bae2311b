package process

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
)

// What a launcher finds at its start, besides the output at 1 and 2.
const (
	reportFD = 3 // where it reports
	ordersFD = 4 // its orders, in a file in memory: complete before it exists. A spare launcher's socket (spare.go)
	lockFD   = 5 // its tree's lock

	socketsFD = 6 // and from there on the sockets of the daemon
)

// orders are what the launcher reads.
type orders struct {
	Join string      `json:"join,omitempty"` // cgroup to enter, where the kernel could not clone into it
	Spec launch.Spec `json:"spec"`
}

// The report: one byte before the daemon's exec, and if that fails or never comes to be tried, another and the reason.
const (
	reportExec   = "E"
	reportInsane = "N"
)

// child is a launcher.
type child struct {
	pid    int
	pidfd  *os.File
	report *os.File // read end of what the launcher reports; the exec closes the other
}

// spawn makes the leader: a launcher, in its own session and in the leaf.
func (i *Incarnation) spawn(o Order, lock *os.File) error {
	text := i.orders(o)
	marker := i.host.marker(i.service, i.id)
	run := func(cgroup int) (*child, error) {
		paper, err := writeOrders(text)
		if err != nil {
			return nil, err
		}
		defer paper.Close()
		output := o.Output.Fd()
		return i.host.clone([]string{launcherName, i.service}, marker, append([]uintptr{output, output, paper.Fd(), lock.Fd()}, numbers(o.Sockets)...), cgroup)
	}
	c, err := i.host.into(i.leaf, func(cgroup int) (*child, error) {
		if cgroup < 0 && i.leaf != nil {
			text.Join = i.leaf.path
		}
		return run(cgroup)
	})
	if err == nil {
		i.adopt(c)
	}
	return err
}

func numbers(files []*os.File) []uintptr {
	list := make([]uintptr, len(files))
	for i, f := range files {
		list[i] = f.Fd()
	}
	return list
}

// orders of the incarnation: the daemon's environment is marked.
func (i *Incarnation) orders(o Order) orders {
	text := orders{Spec: *o.Spec}
	text.Spec.Extra = append(slices.Clone(o.Spec.Extra), i.host.marker(i.service, i.id))
	return text
}

// adopt makes the launcher the leader.
func (i *Incarnation) adopt(c *child) {
	i.host.mu.Lock()
	defer i.host.mu.Unlock()
	i.pid, i.pidfd, i.report = c.pid, c.pidfd, c.report
}

// into has a launcher cloned into the leaf by run, which gets the leaf's descriptor, or -1 where the launcher has to
// move there by itself. That is for kernels before 5.7: of moves far apart each waits for an RCU grace period, up to
// 15 ms where the whole spawn takes 1.2.
func (h *Host) into(l *leaf, run func(cgroup int) (*child, error)) (*child, error) {
	if l == nil || h.joins {
		return run(-1)
	}
	folder, err := unix.Open(l.path, unix.O_DIRECTORY|unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open its cgroup: %w", err)
	}
	defer unix.Close(folder)
	c, err := run(folder)
	if err == unix.ENOSYS || err == unix.EOPNOTSUPP || err == unix.E2BIG {
		return run(-1)
	}
	return c, err
}

// clone forks our executable with marker in its environment. files are its stdout, its stderr, and what lies from
// ordersFD on.
func (h *Host) clone(arguments []string, marker string, files []uintptr, cgroup int) (*child, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("cannot make a pipe: %w", err)
	}
	defer unix.Close(pipe[1])
	pidfd := -1
	pid, err := syscall.ForkExec(h.options.Executable, arguments, &syscall.ProcAttr{
		Dir:   "/",
		Env:   launcherEnvironment(marker),
		Files: slices.Concat([]uintptr{null.Fd()}, files[:2], []uintptr{uintptr(pipe[1])}, files[2:]),
		Sys:   &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd, UseCgroupFD: cgroup >= 0, CgroupFD: cgroup},
	})
	if err == nil && pidfd < 0 {
		err = unix.ENOSYS
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, 0, nil)
	}
	if err != nil {
		unix.Close(pipe[0])
		return nil, err
	}
	_ = unix.SetNonblock(pidfd, true)
	_ = unix.SetNonblock(pipe[0], true)
	return &child{pid, os.NewFile(uintptr(pidfd), "pidfd"), os.NewFile(uintptr(pipe[0]), "report")}, nil
}

func writeOrders(text orders) (*os.File, error) {
	data, err := json.Marshal(text)
	if err != nil {
		return nil, fmt.Errorf("cannot write its launcher's orders: %w", err)
	}
	fd, err := unix.MemfdCreate("orders", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot write its launcher's orders: %w", err)
	}
	paper := os.NewFile(uintptr(fd), "orders")
	if _, err := paper.Write(data); err != nil {
		paper.Close()
		return nil, fmt.Errorf("cannot write its launcher's orders: %w", err)
	}
	return paper, nil
}

// launcherEnvironment is ours, marked. What the daemon gets is its Spec's business.
func launcherEnvironment(marker string) []string {
	all := os.Environ()
	kept := make([]string, 0, len(all)+1)
	for _, variable := range all {
		if !strings.HasPrefix(variable, markerName+"=") {
			kept = append(kept, variable)
		}
	}
	return append(kept, marker)
}
