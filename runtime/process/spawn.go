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
	ordersFD = 4 // its orders, in a file in memory: complete before it exists
	lockFD   = 5 // its tree's lock
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

// spawn makes the leader: a launcher, in its own session and in the leaf.
//
// It is cloned into the leaf. Moving it there by cgroup.procs is for kernels before 5.7: with moves far apart each
// waits for an RCU grace period, up to 15 ms here, against 1.2 ms for the whole spawn.
func (i *Incarnation) spawn(o Order, lock *os.File) error {
	text := orders{Spec: *o.Spec}
	text.Spec.Extra = append(slices.Clone(o.Spec.Extra), i.host.marker(i.service, i.id))
	if i.leaf == nil {
		return i.clone(o.Output, lock, text, -1)
	}
	if i.host.joins {
		return i.cloneAndJoin(o.Output, lock, text)
	}
	folder, err := unix.Open(i.leaf.path, unix.O_DIRECTORY|unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot open its cgroup: %w", err)
	}
	defer unix.Close(folder)
	err = i.clone(o.Output, lock, text, folder)
	if err == unix.ENOSYS || err == unix.EOPNOTSUPP || err == unix.E2BIG {
		err = i.cloneAndJoin(o.Output, lock, text)
	}
	return err
}

func (i *Incarnation) cloneAndJoin(output, lock *os.File, text orders) error {
	text.Join = i.leaf.path
	return i.clone(output, lock, text, -1)
}

func (i *Incarnation) clone(output, lock *os.File, text orders, cgroup int) error {
	paper, err := writeOrders(text)
	if err != nil {
		return err
	}
	defer paper.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("cannot make a pipe: %w", err)
	}
	defer unix.Close(pipe[1])
	pidfd := -1
	attributes := &syscall.ProcAttr{
		Dir:   "/",
		Env:   launcherEnvironment(i.host.marker(i.service, i.id)),
		Files: []uintptr{null.Fd(), output.Fd(), output.Fd(), uintptr(pipe[1]), paper.Fd(), lock.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd, UseCgroupFD: cgroup >= 0, CgroupFD: cgroup},
	}
	pid, err := syscall.ForkExec(i.host.options.Executable, []string{launcherName, i.service}, attributes)
	if err == nil && pidfd < 0 {
		err = unix.ENOSYS
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, 0, nil)
	}
	if err != nil {
		unix.Close(pipe[0])
		return err
	}
	_ = unix.SetNonblock(pidfd, true)
	_ = unix.SetNonblock(pipe[0], true)
	i.pidfd = os.NewFile(uintptr(pidfd), "pidfd")
	i.report = os.NewFile(uintptr(pipe[0]), "report")
	i.host.mu.Lock()
	i.pid = pid
	i.host.mu.Unlock()
	return nil
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
