//go:build !race

package process

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
)

// canFork tells that there is a cloneChild here. Other architectures start every daemon by a launcher, and so does what is
// built with the race detector, whose bookkeeping a child without a goroutine has no part in.
const canFork = true

func cloneChild(args *cloneArgs, size uintptr, given *daemon) (pid int, errno uintptr)

func cloneForker(args *cloneArgs, size uintptr, given *forking) (pid int, errno uintptr)

// becomeDaemon is the child's whole life: it does what launch.Become does. It shares its memory with the forker but not its
// stack, has no goroutine of its own, and must neither allocate nor grow its stack.
//
//go:nosplit
//go:norace
//go:nocheckptr
func becomeDaemon(c *daemon) {
	syscall.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
	// The lock, before a limit of descriptors forbids it.
	_, _, errno := syscall.RawSyscall(unix.SYS_FCNTL, c.lock, unix.F_DUPFD, highDescriptor)
	if errno != 0 {
		_, _, errno = syscall.RawSyscall(unix.SYS_FCNTL, c.lock, unix.F_DUPFD, lowDescriptor)
	}
	for fd := uintptr(1); fd <= 2 && errno == 0; fd++ {
		_, _, errno = syscall.RawSyscall(unix.SYS_DUP3, c.output, fd, 0)
	}
	for i := uintptr(0); i < c.limitCount && errno == 0; i++ {
		limit := (*limitOrder)(unsafe.Add(c.limits, i*unsafe.Sizeof(limitOrder{})))
		c.limit = syscall.Rlimit{Cur: limit.value, Max: limit.value}
		_, _, errno = syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, uintptr(limit.resource), uintptr(unsafe.Pointer(&c.limit)), 0, 0, 0)
	}
	syscall.RawSyscall(unix.SYS_UMASK, c.umask, 0, 0)
	if errno == 0 && c.workDir != nil {
		_, _, errno = syscall.RawSyscall(unix.SYS_CHDIR, uintptr(unsafe.Pointer(c.workDir)), 0, 0)
	}
	if errno == 0 && c.account {
		errno = assumeAccount(c)
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(unix.SYS_WRITE, c.report, uintptr(unsafe.Pointer(&c.executing)), 1)
	}
	if errno == 0 { // nobody handles a signal here: the clone made all of them default
		c.mask = 0
		syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&c.mask)), 0, 8, 0, 0)
		_, _, errno = syscall.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(c.program)), uintptr(unsafe.Pointer(c.argv)), uintptr(unsafe.Pointer(c.envv)))
	}
	c.failure.errno = uint32(errno)
	syscall.RawSyscall(unix.SYS_WRITE, c.report, uintptr(unsafe.Pointer(&c.failure)), unsafe.Sizeof(c.failure))
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, launch.ExitInsane, 0, 0)
	}
}

// assumeAccount refuses a working directory that was entered as root and that the account may not enter.
//
//go:nosplit
//go:norace
//go:nocheckptr
func assumeAccount(c *daemon) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_SETGROUPS, c.groupCount, uintptr(c.groups), 0)
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(unix.SYS_SETRESGID, c.gid, c.gid, c.gid)
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(unix.SYS_SETRESUID, c.uid, c.uid, c.uid)
	}
	if errno == 0 && c.workDir != nil {
		_, _, errno = syscall.RawSyscall(unix.SYS_ACCESS, uintptr(unsafe.Pointer(c.workDir)), unix.X_OK, 0)
	}
	return errno
}
