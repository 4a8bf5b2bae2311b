package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// rlimit is one bound that the kernel keeps for a process, as the soft limit and the hard one.
type rlimit struct {
	resource int
	value    int64
	unit     string
	option   string // of ulimit
	block    int64  // bytes or things that ulimit counts as one
}

// rlimits are those that the recipe sets.
func rlimits(l *plan.Limits) []rlimit {
	var all []rlimit
	add := func(set bool, r rlimit) {
		if set {
			all = append(all, r)
		}
	}
	size := func(s *plan.Size) int64 {
		if s == nil {
			return 0
		}
		return int64(*s)
	}
	add(l.NoFile > 0, rlimit{syscall.RLIMIT_NOFILE, l.NoFile, "open files", "n", 1})
	add(l.Core != nil, rlimit{syscall.RLIMIT_CORE, size(l.Core), "bytes of a core dump", "c", 512})
	add(l.Stack > 0, rlimit{syscall.RLIMIT_STACK, int64(l.Stack), "bytes of stack", "s", 1024})
	add(l.FSize > 0, rlimit{syscall.RLIMIT_FSIZE, int64(l.FSize), "bytes of a file", "f", 512})
	add(l.MemLock != nil, rlimit{unix.RLIMIT_MEMLOCK, size(l.MemLock), "bytes of locked memory", "l", 1024})
	add(l.NProc > 0, rlimit{unix.RLIMIT_NPROC, l.NProc, "processes of the user", "u", 1})
	return all
}

// limit comes before the change of account: root may raise what the account may not. The raw prlimit of x/sys would be
// undone by syscall.Exec.
func (s *Spec) limit() error {
	for _, r := range rlimits(&s.Limits) {
		var was syscall.Rlimit
		syscall.Getrlimit(r.resource, &was)
		want := syscall.Rlimit{Cur: uint64(r.value), Max: uint64(r.value)}
		if r.resource == unix.RLIMIT_NPROC && want.Max <= was.Max {
			continue // until our own threads are the account's: an exec beyond the limit fails only if that change was beyond it
		}
		if err := syscall.Setrlimit(r.resource, &want); err != nil {
			return fmt.Errorf("the limit of %d %s cannot be set: the hard limit is %s", r.value, r.unit, showLimit(was.Max))
		}
	}
	if adj := s.Limits.OOMScoreAdj; adj != nil {
		err := os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(*adj)), 0)
		if err != nil && !errors.Is(err, fs.ErrPermission) { // lowering needs a privilege, and is a favour
			return fmt.Errorf("oom_score_adj cannot be set: %s", reason(err))
		}
	}
	return s.schedule()
}

// limitProcesses comes after the change of account.
func (s *Spec) limitProcesses() {
	if n := uint64(s.Limits.NProc); n > 0 {
		syscall.Setrlimit(unix.RLIMIT_NPROC, &syscall.Rlimit{Cur: n, Max: n})
	}
}

// schedule sets what the kernel keeps for a thread: the one that will exec. To be preferred needs a privilege, and is a
// favour.
func (s *Spec) schedule() error {
	if n := s.Limits.Nice; n != nil {
		if err := unix.Setpriority(unix.PRIO_PROCESS, 0, *n); err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("the niceness of %d cannot be set: %s", *n, reason(err))
		}
	}
	if s.Limits.IONice == "" {
		return nil
	}
	class, level := ioPriority(&s.Limits)
	_, _, errno := unix.RawSyscall(unix.SYS_IOPRIO_SET, 1, 0, uintptr(class<<13|level)) // 1: a process, 0: this one
	if errno != 0 && errno != unix.EPERM && errno != unix.ENOSYS {
		return fmt.Errorf("the priority of input and output cannot be set: %s", reason(errno))
	}
	return nil
}

// ioPriority is the class's number, and the level that ionice gives unless told.
func ioPriority(l *plan.Limits) (class, level int) {
	class = slices.Index(plan.IOClasses(), l.IONice)
	switch {
	case l.IOLevel != nil:
		level = *l.IOLevel
	case l.IONice == "idle":
		level = 7
	default:
		level = 4
	}
	return class, level
}

func showLimit(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}
