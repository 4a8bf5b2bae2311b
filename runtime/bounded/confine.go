package bounded

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is the account of kernels and distributions for what has none.
const nobody = 65534

// stackShare is the part of the memory that the stack of one goroutine may take: it grows by being copied to twice the size.
const stackShare = 8

// arenas are what Go's runtime maps beyond what it holds, in bytes: its heap grows by 64 MiB at a time. So the kernel's
// limit stops what is taken at once, and the watch what grows.
const arenas = 128 << 20

// lifeFactor is how many times the processor time of one piece of work a child lives for.
const lifeFactor = 6

// confine gives up what no work needs. It comes before the first byte of a request, and cannot be taken back.
func confine(limits Limits) error {
	debug.SetMemoryLimit(limits.Memory / 4 * 3) // collect before it is too late
	debug.SetGCPercent(400)                     // and seldom before that: a child lives for a moment
	debug.SetMaxStack(int(limits.Memory / stackShare))
	time.AfterFunc(time.Hour, func() {}).Stop() // the runtime opens what timers need with the first of them, and nothing later
	if err := dropRoot(); err != nil {
		return err
	}
	if _, _, fault := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); fault != 0 {
		// With cgo there is no such call; this thread and those that it starts will do.
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("no new privileges: %w", err)
		}
	}
	space, err := addressSpace()
	if err != nil {
		return err
	}
	life := uint64(lifeFactor*limits.CPU/time.Second) + 1
	for _, r := range []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_NOFILE, 0}, // those that are open stay so
		{unix.RLIMIT_CPU, life},
		{unix.RLIMIT_AS, space + uint64(limits.Memory) + arenas},
	} {
		if err := unix.Prlimit(0, r.resource, &unix.Rlimit{Cur: r.most, Max: r.most}, nil); err != nil {
			return fmt.Errorf("limit %d: %w", r.resource, err)
		}
	}
	return nil
}

// addressSpace is what the process has reserved of it, in bytes. What it reserves later is heap. RLIMIT_DATA would not
// do: Go maps its heap over what it has reserved, and the kernel takes that for no growth (911 MiB were seen under 640).
func addressSpace() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	pages, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseUint(pages, 10, 64)
	return n * uint64(os.Getpagesize()), err
}

// dropRoot makes root nobody. Where there is no such user, as in a user namespace of few, it stays: it can open nothing
// all the same.
func dropRoot() error {
	if os.Geteuid() != 0 {
		return nil
	}
	if err := syscall.Setgroups(nil); err != nil {
		return nil
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return nil
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil && err != syscall.EINVAL {
		return fmt.Errorf("become nobody: %w", err)
	}
	return nil
}
