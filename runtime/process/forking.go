package process

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The forker's side. It is a process of one thread and a few pages: our executable prepares it, clones it and ends (fork), and
// what was cloned runs nothing of Go's runtime any more, which would have threads that wake beside each start, and 6 MiB. So
// whatever a forker or a child of its runs must not need a stack that grows, allocate, or panic.
//
// A child is cloned with the forker's memory and a stack of its own, and goes its way while the next order is taken: what
// holds up its exec (a hung file system, a frozen cgroup) holds up nobody else. What it reads is in a slot, an order's, which
// is free again when the kernel has cleared its word, at the child's exec or end.

// forkerName is a forker's argv[0].
const forkerName = "recipe-fork"

const (
	slots       = 64       // children between their clone and their exec, less one
	mostOrder   = 48 << 10 // bytes of an order
	mostStrings = 2048     // arguments and variables of one
	childStack  = 16 << 10

	highDescriptor, lowDescriptor = 100, 10 // where a daemon has its lock: a low limit of descriptors may forbid the first
)

// orderHead is how an order begins. Behind it are groups, limits and texts that end with NUL: the working directory, which
// may be empty, the arguments, the environment. The descriptors with it are the output, the lock, the report and, where
// there is one, the leaf.
type orderHead struct {
	Number                               uint64 // which the answer repeats
	Limits, Groups, Arguments, Variables uint32
	UID, GID, Umask, Account             uint32 // Account is 1 where there is one
}

const headSize = int(unsafe.Sizeof(orderHead{}))

// limitOrder is a limit in an order.
type limitOrder struct{ resource, value uint64 }

// answer tells the child's pid, or what refused it.
type answer struct {
	number uint64
	pid    int32
	errno  uint32
}

// cloneArgs is the kernel's clone_args, as far as Linux 5.7 has it.
type cloneArgs struct {
	flags, pidFD, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// daemon is what a child reads to become one. All addresses are within its slot.
type daemon struct {
	output, lock, report uintptr
	program              *byte
	argv, envv           **byte // each ends with nil
	workDir              *byte  // nil for none
	limits               unsafe.Pointer
	limitCount           uintptr
	groups               unsafe.Pointer
	groupCount           uintptr
	uid, gid, umask      uintptr
	account              bool
	executing            byte
	mask                 uint64
	limit                syscall.Rlimit
	failure              failure
}

// failure is what is reported of a child that could not be executed.
type failure struct {
	kind  byte
	errno uint32
}

type slot struct {
	busy   uint32 // the kernel's to clear
	daemon daemon
	clone  cloneArgs
	order  [mostOrder]byte
	words  [mostStrings + 2]*byte
	stack  [childStack]byte
}

// fork makes a forker, tells the supervisor its pid, and ends. The forker is the supervisor's child, and ends with it.
func fork() {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	if closeOnExec(reportFD) != nil {
		os.Exit(1)
	}
	// An exec that fails leaves the limit of open files as this process found it, before Go raised it: the daemons'.
	_ = syscall.Exec("", nil, nil)
	settleSignals()
	f, err := newForking()
	if err != nil {
		os.Exit(1)
	}
	pid, errno := cloneForker(&f.clone, unsafe.Sizeof(f.clone), f)
	told := answer{pid: int32(pid), errno: uint32(errno)}
	_, _ = unix.Write(ordersFD, told.bytes())
	os.Exit(0)
}

// becomeForker is the forker's whole life.
//
//go:nosplit
//go:norace
//go:nocheckptr
func becomeForker(f *forking) {
	syscall.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
	for i := uintptr(0); i < f.needless; i++ {
		m := &f.memory[i%mostMemory]
		syscall.RawSyscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
	}
	for f.serve() {
	}
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// settleSignals blocks every signal in this thread and its children, and ignores none, since a child would go on ignoring
// it. The rest of a daemon's signals is made by the clone and before the exec.
func settleSignals() {
	all := ^uint64(0)
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0)
	for signal := uintptr(1); signal <= 64; signal++ {
		var action [8]uintptr // a kernel's sigaction, which begins with the handler
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, signal, 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
		const ignored = 1
		if action[0] == ignored {
			action = [8]uintptr{}
			unix.RawSyscall6(unix.SYS_RT_SIGACTION, signal, uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
		}
	}
}

// forking is a forker at work. It is all outside of Go's memory.
type forking struct {
	message unix.Msghdr
	text    unix.Iovec
	control [64]byte // holds four descriptors
	files   [4]int32
	told    answer
	slots   [slots]slot

	clone    cloneArgs // of the forker itself
	stack    [childStack]byte
	memory   [mostMemory]mapping // that it has no use for: so many of them
	needless uintptr
}

const mostMemory = 128

func newForking() (*forking, error) {
	needless := ownMappings()
	memory, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(forking{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE) // most of it is never touched
	f := (*forking)(unsafe.Pointer(&memory[0]))
	f.needless = uintptr(copy(f.memory[:], needless))
	f.clone = cloneArgs{flags: unix.CLONE_PARENT, stack: address(unsafe.Pointer(&f.stack)), stackSize: childStack}
	return f, nil
}

// serve takes an order and answers it. It reports false when there is no supervisor any more.
//
//go:nosplit
//go:norace
//go:nocheckptr
func (f *forking) serve() bool {
	at := 0
	for at < slots-1 && atomic.LoadUint32(&f.slots[at].busy) != 0 {
		at++
	}
	s := &f.slots[at]
	size, files := f.receive(s)
	if size == 0 {
		return false
	}
	pid, errno := -1, uintptr(unix.EAGAIN)
	if at < slots-1 {
		pid, errno = s.start(size, &f.files, files)
	}
	f.told = answer{pid: int32(pid), errno: uint32(errno)}
	if size >= uintptr(headSize) {
		f.told.number = s.head().Number
	}
	for i := uintptr(0); i < files; i++ {
		syscall.RawSyscall(unix.SYS_CLOSE, uintptr(f.files[i]), 0, 0)
	}
	_, _, failed := syscall.RawSyscall(unix.SYS_WRITE, ordersFD, uintptr(unsafe.Pointer(&f.told)), unsafe.Sizeof(f.told))
	return failed == 0
}

// receive waits for an order and puts it into the slot. It returns the order's size, 0 where none will come any more, and how
// many descriptors came with it.
//
//go:nosplit
//go:norace
//go:nocheckptr
func (f *forking) receive(s *slot) (size, files uintptr) {
	for {
		f.text.Base, f.text.Len = &s.order[0], mostOrder
		f.message.Iov, f.message.Iovlen, f.message.Control = &f.text, 1, &f.control[0]
		f.message.SetControllen(len(f.control))
		n, _, errno := syscall.RawSyscall(unix.SYS_RECVMSG, ordersFD, uintptr(unsafe.Pointer(&f.message)), unix.MSG_CMSG_CLOEXEC)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, 0
		}
		size = n
		break
	}
	if f.message.Controllen < unix.SizeofCmsghdr {
		return size, 0
	}
	given := (uintptr((*unix.Cmsghdr)(unsafe.Pointer(&f.control)).Len) - unix.SizeofCmsghdr) / 4
	for files < given && files < uintptr(len(f.files)) {
		f.files[files] = *(*int32)(unsafe.Add(unsafe.Pointer(&f.control), unix.SizeofCmsghdr+4*files))
		files++
	}
	return size, files
}

func head(text []byte) *orderHead { return (*orderHead)(unsafe.Pointer(&text[0])) }

//go:nosplit
func (s *slot) head() *orderHead { return (*orderHead)(unsafe.Pointer(&s.order)) }

// start clones the child of an order of that size.
//
//go:nosplit
//go:norace
//go:nocheckptr
func (s *slot) start(size uintptr, files *[4]int32, given uintptr) (pid int, errno uintptr) {
	if size < uintptr(headSize) || given < 3 {
		return -1, uintptr(unix.EMFILE) // descriptors that cannot be had are left out of a message
	}
	if !s.read(size) {
		return -1, uintptr(unix.EBADMSG)
	}
	c := &s.daemon
	c.output, c.lock, c.report = uintptr(files[0]), uintptr(files[1]), uintptr(files[2])
	s.clone.flags = unix.CLONE_VM | unix.CLONE_PARENT | unix.CLONE_CHILD_CLEARTID | unix.CLONE_CLEAR_SIGHAND
	s.clone.childTID, s.clone.stack, s.clone.stackSize = address(unsafe.Pointer(&s.busy)), address(unsafe.Pointer(&s.stack)), childStack
	s.clone.cgroup = 0
	if given > 3 {
		s.clone.flags |= unix.CLONE_INTO_CGROUP
		s.clone.cgroup = uint64(files[3])
	}
	atomic.StoreUint32(&s.busy, 1)
	pid, errno = cloneChild(&s.clone, unsafe.Sizeof(s.clone), c)
	if errno != 0 {
		atomic.StoreUint32(&s.busy, 0)
	}
	return pid, errno
}

//go:nosplit
func address(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }

// read lays the order out as the child and its exec want it. It reports false where it is none.
//
//go:nosplit
//go:norace
//go:nocheckptr
func (s *slot) read(size uintptr) bool {
	h, c := s.head(), &s.daemon
	c.umask, c.uid, c.gid, c.account = uintptr(h.Umask), uintptr(h.UID), uintptr(h.GID), h.Account == 1
	c.limitCount, c.groupCount, c.executing, c.failure.kind = uintptr(h.Limits), uintptr(h.Groups), reportExec[0], reportInsane[0]
	groups := uintptr(headSize) + c.limitCount*unsafe.Sizeof(limitOrder{})
	at := groups + 4*c.groupCount
	if at >= size || size > mostOrder || h.Arguments == 0 || uintptr(h.Arguments)+uintptr(h.Variables) > mostStrings {
		return false
	}
	text := unsafe.Pointer(&s.order)
	c.limits, c.groups, c.workDir = unsafe.Add(text, headSize), unsafe.Add(text, groups), nil
	if *(*byte)(unsafe.Add(text, at)) != 0 {
		c.workDir = (*byte)(unsafe.Add(text, at))
	}
	words, word := uintptr(h.Arguments)+uintptr(h.Variables)+1, unsafe.Pointer(&s.words)
	for i := uintptr(0); i <= words; i++ {
		slot := (**byte)(unsafe.Add(word, i*unsafe.Sizeof(word)))
		*slot = nil
		if i == uintptr(h.Arguments) || i == words {
			continue
		}
		for at < size && *(*byte)(unsafe.Add(text, at)) != 0 {
			at++
		}
		if at++; at >= size {
			return false
		}
		*slot = (*byte)(unsafe.Add(text, at))
	}
	c.argv, c.envv = (**byte)(word), (**byte)(unsafe.Add(word, (uintptr(h.Arguments)+1)*unsafe.Sizeof(word)))
	c.program = *c.argv
	return *(*byte)(unsafe.Add(text, size-1)) == 0
}
