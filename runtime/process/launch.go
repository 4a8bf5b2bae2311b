package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
)

// launcherName is a launcher's argv[0]. Nobody types it by accident, and it makes launchers legible in ps.
const launcherName = "recipe-launch"

// Launching tells from the arguments whether this process was spawned as a launcher and must call Launch, before it
// does anything else.
func Launching(arguments []string) bool { return len(arguments) == 2 && arguments[0] == launcherName }

// Launch is the life of a launcher. It never returns.
func Launch() {
	// What is set for a thread alone, as nice is, survives the exec if it is the thread that calls it.
	runtime.LockOSThread()
	ctx := context.Background()
	report := os.NewFile(reportFD, "report")
	text, lock, err := takeOrders()
	if err == nil {
		err = become(ctx, &text.Spec, lock, report)
	}
	_, _ = report.WriteString(reportInsane + launch.OneLine(err)) // without a reader there is nobody to tell
	os.Exit(launch.Insane(ctx, os.Stdout, text.Spec.Service, err, 0))
}

func become(ctx context.Context, spec *launch.Spec, lock int, report *os.File) error {
	if err := spec.Prepare(ctx); err != nil {
		return err
	}
	if _, err := report.WriteString(reportExec); err != nil {
		os.Exit(launch.ExitInsane) // the supervisor is gone: nobody would watch the daemon
	}
	return spec.Become(lock)
}

// takeOrders reads the orders and puts this process in its place: in its cgroup, with its lock and no other descriptor
// to hand on.
func takeOrders() (text orders, lock int, err error) {
	if err := closeOnExec(reportFD); err != nil {
		return text, -1, fmt.Errorf("cannot close stray descriptors: %w", err)
	}
	paper, lock := ordersFD, lockFD
	var stat unix.Stat_t
	if err = unix.Fstat(ordersFD, &stat); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFSOCK {
		paper, lock, err = receiveOrders()
	}
	if err == nil {
		text, err = readOrders(paper)
	}
	if err != nil {
		return text, -1, fmt.Errorf("cannot read the launcher's orders: %w", err)
	}
	if text.Join != "" {
		if err := os.WriteFile(filepath.Join(text.Join, "cgroup.procs"), []byte("0"), 0); err != nil {
			return text, -1, fmt.Errorf("cannot enter its cgroup: %w", err)
		}
	}
	lock, err = keepLock(lock)
	return text, lock, err
}

func readOrders(paper int) (text orders, err error) {
	file := os.NewFile(uintptr(paper), "orders")
	defer file.Close()
	data, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
	if err == nil {
		err = json.Unmarshal(data, &text)
	}
	return text, err
}

// keepLock moves the lock to where it is in nobody's way and lets it through an exec.
func keepLock(lock int) (int, error) {
	for _, least := range []int{100, 10} { // a low limit of descriptors may forbid the first
		if fd, err := unix.FcntlInt(uintptr(lock), unix.F_DUPFD, least); err == nil {
			return fd, unix.Close(lock)
		}
	}
	return -1, fmt.Errorf("cannot keep the lock: the limit of open files is too low")
}

// closeOnExec marks every descriptor from first on.
func closeOnExec(first int) error {
	err := unix.CloseRange(uint(first), ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	names, err := readNames("/proc/self/fd") // before Linux 5.11
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return err
}
