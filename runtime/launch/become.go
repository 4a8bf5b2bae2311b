package launch

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// enter is the last of what root does: the working directory was asked for the account, and is entered before.
func (s *Spec) enter() error {
	syscall.Umask(s.umask())
	if s.WorkDir == "" {
		return nil
	}
	if err := os.Chdir(s.WorkDir); err != nil {
		return fmt.Errorf("the directory %s to start in cannot be entered: %s", s.WorkDir, reason(err))
	}
	return nil
}

// Become turns this process into the daemon: limits, account, signals, descriptors, then exec. Descriptors from 3 up are
// closed but for those to keep and the sockets, which the daemon finds from 3 on, with the pipe of its readiness behind them,
// which it finds where Ready says. The descriptors there must be nobody's but
// the sockets' or the runtime's own beyond them. It returns on error alone, and the process is then good for nothing but to
// say so.
func (s *Spec) Become(sockets []int, keep ...int) error {
	if len(s.Argv) == 0 {
		return errors.New("there is no command")
	}
	runtime.LockOSThread() // exec keeps the mask of the thread that calls it
	if err := settleProcess(); err != nil {
		return err
	}
	id, err := s.lookUp()
	if err != nil {
		return err
	}
	sockets, err = s.lift(sockets) // before the limit
	if err != nil {
		return err
	}
	if err := s.limit(); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	if err := s.assume(id); err != nil {
		return err
	}
	if err := closeOthers(keep); err != nil {
		return err
	}
	if err := s.place(sockets, keep); err != nil {
		return err
	}
	resetSignals()
	return s.exec(id)
}

// closeOthers marks for closing at exec, so that an error can still be told.
func closeOthers(keep []int) error {
	keep = slices.Clone(keep)
	slices.Sort(keep)
	next := 3
	for _, fd := range append(keep, 1<<31-1) {
		if fd > next {
			if err := closeRange(next, fd-1); err != nil {
				return fmt.Errorf("cannot close descriptors: %s", reason(err))
			}
		}
		next = max(next, fd+1)
	}
	for _, fd := range keep {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return fmt.Errorf("cannot keep descriptor %d: %s", fd, reason(err))
		}
	}
	return nil
}

// closeRange falls back to /proc before Linux 5.11, which learnt to mark.
func closeRange(first, last int) error {
	err := unix.CloseRange(uint(first), uint(last), unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	entries, err := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if fd, _ := strconv.Atoi(e.Name()); fd >= first && fd <= last {
			unix.CloseOnExec(fd)
		}
	}
	return err
}

// resetSignals gives every signal its default and clears the mask. exec itself resets handlers, but passes on what is
// ignored and what is blocked.
func resetSignals() {
	var action [64]byte // a kernel's sigaction of zeros: SIG_DFL, no flags
	for signal := 1; signal <= 64; signal++ {
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	}
	var none uint64
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
}

// exec tries again for half a second while the program is open for writing: some other process forked while it was
// being installed, and has not yet come to its own exec.
func (s *Spec) exec(id *identity) error {
	environment := with(s.environ(), append(s.listening(), s.Told...))
	var err error
	for range 50 {
		if err = syscall.Exec(s.Argv[0], s.Argv, environment); err != syscall.ETXTBSY {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("the program %s cannot be run%s: %s", s.Argv[0], id.forWhom(), unfit(s.Argv[0], err))
}

func rawSetgroups(groups []uint32) syscall.Errno {
	var first *uint32
	if len(groups) > 0 {
		first = &groups[0]
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(first)), 0)
	return errno
}
