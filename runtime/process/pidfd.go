package process

import (
	"cmp"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Status is how a process ended: by exit with Code, or by Signal where that is not 0. Unseen is no exit code.
type Status struct {
	Code   int
	Signal syscall.Signal
	Core   bool // the signal dumped core
}

func (s Status) String() string {
	switch {
	case s.Signal != 0 && s.Core:
		return fmt.Sprintf("killed by %s, core dumped", signalName(s.Signal))
	case s.Signal != 0:
		return "killed by " + signalName(s.Signal)
	case s.Code == Unseen:
		return "in a way that nobody saw"
	default:
		return fmt.Sprintf("exit %d", s.Code)
	}
}

// signalName is SIGTERM, or "signal 34" for one of those that have no names.
func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(s))
}

// childInfo is the kernel's siginfo of a child: three ints, then a union that is aligned as a pointer.
type childInfo struct {
	signo, errno, code int32
	_                  [unsafe.Sizeof(uintptr(0)) - 4]byte
	pid                int32
	uid                uint32
	status             int32
	_                  [128]byte
}

// ended tells whether our child pid is dead, without reaping it.
func ended(pid int) (Status, bool, error) {
	var info childInfo
	for {
		_, _, errno := unix.Syscall6(unix.SYS_WAITID, unix.P_PID, uintptr(pid), uintptr(unsafe.Pointer(&info)),
			unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return Status{}, false, errno
		case info.pid == 0:
			return Status{}, false, nil
		}
		break
	}
	const exited, dumped = 1, 3 // CLD_EXITED, CLD_DUMPED
	if info.code == exited {
		return Status{Code: int(info.status)}, true, nil
	}
	return Status{Signal: syscall.Signal(info.status), Core: info.code == dumped}, true, nil
}

// sendTo errs with ESRCH where the process is dead.
func sendTo(pidfd *os.File, sig syscall.Signal) error {
	conn, err := pidfd.SyscallConn()
	if err != nil {
		return err
	}
	failed := conn.Control(func(fd uintptr) { err = unix.PidfdSendSignal(int(fd), sig, nil, 0) })
	return cmp.Or(failed, err)
}

// reap waits for a dead child. It does not block.
func reap(pid int) {
	for {
		if _, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); err != unix.EINTR {
			return
		}
	}
}

// awaitEnd parks the goroutine in the poller until the child is dead: no thread waits (os.Process.Wait takes one).
func awaitEnd(pidfd *os.File, pid int) (status Status, err error) {
	conn, err := pidfd.SyscallConn()
	if err != nil {
		return Status{}, err
	}
	var failed error
	err = conn.Read(func(uintptr) bool {
		var done bool
		status, done, failed = ended(pid)
		return done || failed != nil
	})
	if err == nil {
		err = failed
	}
	return status, err
}

// killPID kills the very process that was seen, unless it is gone and its pid means another by now.
func killPID(p proc) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if now, ok := readProc(p.pid); ok && now.started == p.started {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) // whoever cannot be killed is found again and reported
	}
}
