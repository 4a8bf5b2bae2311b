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
	"recipe/runtime/plan"
)

// launcherName is a launcher's argv[0]. Nobody types it by accident, and it makes launchers legible in ps.
const launcherName = "recipe-launch"

// Launching tells from the arguments whether this process was spawned as a launcher or a forker and must call Launch, before it
// does anything else.
func Launching(arguments []string) bool {
	return len(arguments) == 2 && (arguments[0] == launcherName || arguments[0] == forkerName)
}

// Launch is the life of a launcher or a forker. It never returns.
func Launch() {
	if os.Args[0] == forkerName {
		fork()
	}
	// What is set for a thread alone, as nice is, survives the exec if it is the thread that calls it.
	runtime.LockOSThread()
	ctx := context.Background()
	report := os.NewFile(reportFD, "report")
	text, given, err := takeOrders()
	if err == nil && len(given.sockets) > 0 { // the daemon finds the first of them where we report
		report, err = given.makeRoom(report, text.Spec.Beyond())
	}
	if err == nil {
		err = become(ctx, &text.Spec, given, report)
	}
	_, _ = report.WriteString(reportInsane + launch.OneLine(err)) // without a reader there is nobody to tell
	os.Exit(launch.Insane(ctx, os.Stdout, text.Spec.Service, err, 0))
}

func become(ctx context.Context, spec *launch.Spec, given descriptors, report *os.File) error {
	if err := spec.TakeTerminal(); err != nil {
		return err
	}
	if err := spec.Prepare(ctx); err != nil {
		return err
	}
	if _, err := report.WriteString(reportExec); err != nil {
		os.Exit(launch.ExitInsane) // the supervisor is gone: nobody would watch the daemon
	}
	return spec.Become(given.sockets, given.lock)
}

// descriptors are what a launcher is given with its orders.
type descriptors struct {
	paper   int
	lock    int
	sockets []int // the daemon's, in order
}

// takeOrders reads the orders and puts this process in its place: in its cgroup, with its lock, its sockets and no other
// descriptor to hand on.
func takeOrders() (text orders, given descriptors, err error) {
	if err := closeOnExec(reportFD); err != nil {
		return text, given, fmt.Errorf("cannot close stray descriptors: %w", err)
	}
	given = descriptors{paper: ordersFD, lock: lockFD}
	var stat unix.Stat_t
	spare := unix.Fstat(ordersFD, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFSOCK
	if spare {
		given, err = receiveOrders()
	}
	if err == nil {
		text, err = readOrders(given.paper)
	}
	if err != nil {
		return text, given, fmt.Errorf("cannot read the launcher's orders: %w", err)
	}
	if !spare {
		for i := range text.Spec.Handed() {
			given.sockets = append(given.sockets, socketsFD+i)
		}
	}
	if text.Join != "" {
		if err := os.WriteFile(filepath.Join(text.Join, "cgroup.procs"), []byte("0"), 0); err != nil {
			return text, given, fmt.Errorf("cannot enter its cgroup: %w", err)
		}
	}
	given.lock, err = keep(given.lock)
	return text, given, err
}

// makeRoom moves the report to where no socket will be. Where they will be nothing is left free: the poller of the runtime,
// which may come to be at any time, must not take a number that is about to be given to a socket.
func (given descriptors) makeRoom(report *os.File, end int) (*os.File, error) {
	const beyond = reportFD + plan.MostSockets
	fd, err := unix.FcntlInt(uintptr(reportFD), unix.F_DUPFD_CLOEXEC, beyond)
	if err != nil {
		return report, fmt.Errorf("cannot keep the report: %w", err)
	}
	for at := reportFD; at < end; at++ {
		if _, err := unix.FcntlInt(uintptr(at), unix.F_GETFD, 0); err == unix.EBADF {
			if err := unix.Dup3(0, at, unix.O_CLOEXEC); err != nil {
				return report, fmt.Errorf("cannot make room for sockets: %w", err)
			}
		}
	}
	return os.NewFile(uintptr(fd), "report"), nil
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

// keep moves a descriptor to where it is in nobody's way and lets it through an exec.
func keep(descriptor int) (int, error) {
	for _, least := range []int{100, 10} { // a low limit of descriptors may forbid the first
		if fd, err := unix.FcntlInt(uintptr(descriptor), unix.F_DUPFD, least); err == nil {
			return fd, unix.Close(descriptor)
		}
	}
	return -1, fmt.Errorf("cannot keep a descriptor: the limit of open files is too low")
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
