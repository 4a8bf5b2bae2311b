package process

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The forker's side. A child is cloned with the forker's memory and a stack of its own, and goes its way while the next
// order is taken: what holds up its exec (a hung file system, a frozen cgroup) holds up nobody else. What it reads is in
// memory that Go neither moves nor collects, a slot an order, which is free again when the kernel has cleared its word, at
// the child's exec or end. Nothing is allocated once the first order has come.

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

// fork is the life of a forker. It ends with its supervisor.
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
	for f.serve() {
	}
	os.Exit(0)
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
}

func newForking() (*forking, error) {
	memory, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(forking{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE) // most of it is never touched
	return (*forking)(unsafe.Pointer(&memory[0])), nil
}

// serve takes an order and answers it. It reports false when there is no supervisor any more.
func (f *forking) serve() bool {
	at := 0
	for at < slots-1 && atomic.LoadUint32(&f.slots[at].busy) != 0 {
		at++
	}
	s := &f.slots[at]
	text, files, ok := f.receive(s)
	if !ok {
		return false
	}
	pid, errno := -1, unix.EAGAIN
	if at < slots-1 {
		pid, errno = s.start(text, files)
	}
	for _, fd := range files {
		unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	}
	f.told = answer{pid: int32(pid), errno: uint32(errno)}
	if len(text) >= headSize {
		f.told.number = head(text).Number
	}
	_, _, errno = unix.Syscall(unix.SYS_WRITE, ordersFD, uintptr(unsafe.Pointer(&f.told)), unsafe.Sizeof(f.told))
	return errno == 0
}

// receive waits for an order, and puts it into the slot.
func (f *forking) receive(s *slot) (text []byte, files []int32, ok bool) {
	for {
		f.text = unix.Iovec{Base: &s.order[0]}
		f.text.SetLen(mostOrder)
		f.message = unix.Msghdr{Iov: &f.text, Iovlen: 1, Control: &f.control[0]}
		f.message.SetControllen(len(f.control))
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, ordersFD, uintptr(unsafe.Pointer(&f.message)), unix.MSG_CMSG_CLOEXEC)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			return nil, nil, false
		}
		return s.order[:n], f.rights(), true
	}
}

// rights are the descriptors that came.
func (f *forking) rights() []int32 {
	if f.message.Controllen < unix.SizeofCmsghdr {
		return nil
	}
	length := int((*unix.Cmsghdr)(unsafe.Pointer(&f.control[0])).Len)
	return f.files[:copy(f.files[:], unsafe.Slice((*int32)(unsafe.Pointer(&f.control[unix.CmsgLen(0)])), (length-unix.CmsgLen(0))/4))]
}

func head(text []byte) *orderHead { return (*orderHead)(unsafe.Pointer(&text[0])) }

// start clones the child of an order.
func (s *slot) start(text []byte, files []int32) (pid int, errno syscall.Errno) {
	if len(text) < headSize || len(files) < 3 {
		return -1, unix.EMFILE // descriptors that cannot be had are left out of a message
	}
	if !s.read(text) {
		return -1, unix.EBADMSG
	}
	c := &s.daemon
	c.output, c.lock, c.report = uintptr(files[0]), uintptr(files[1]), uintptr(files[2])
	s.clone = cloneArgs{
		flags:    unix.CLONE_VM | unix.CLONE_PARENT | unix.CLONE_CHILD_CLEARTID | unix.CLONE_CLEAR_SIGHAND,
		childTID: address(unsafe.Pointer(&s.busy)), stack: address(unsafe.Pointer(&s.stack)), stackSize: childStack,
	}
	if len(files) > 3 {
		s.clone.flags |= unix.CLONE_INTO_CGROUP
		s.clone.cgroup = uint64(files[3])
	}
	atomic.StoreUint32(&s.busy, 1)
	pid, failed := cloneChild(&s.clone, unsafe.Sizeof(s.clone), c)
	if failed != 0 {
		atomic.StoreUint32(&s.busy, 0)
	}
	return pid, syscall.Errno(failed)
}

func address(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }

// read lays the order out as the child and its exec want it. It reports false where it is none.
func (s *slot) read(text []byte) bool {
	h, c := head(text), &s.daemon
	*c = daemon{
		umask: uintptr(h.Umask), uid: uintptr(h.UID), gid: uintptr(h.GID), account: h.Account == 1,
		limitCount: uintptr(h.Limits), groupCount: uintptr(h.Groups), executing: reportExec[0], failure: failure{kind: reportInsane[0]},
	}
	groups := headSize + int(h.Limits)*int(unsafe.Sizeof(limitOrder{}))
	texts := groups + 4*int(h.Groups)
	if texts >= len(text) || h.Arguments == 0 || h.Arguments+h.Variables > mostStrings {
		return false
	}
	c.limits, c.groups = unsafe.Pointer(&text[headSize]), unsafe.Pointer(&text[groups])
	if text[texts] != 0 {
		c.workDir = &text[texts]
	}
	next := func() *byte { // the text behind the one at texts
		end := bytes.IndexByte(text[texts:], 0)
		if end < 0 || texts+end+1 >= len(text) {
			return nil
		}
		texts += end + 1
		return &text[texts]
	}
	at := 0
	for _, count := range []uint32{h.Arguments, h.Variables} {
		for range count {
			if s.words[at] = next(); s.words[at] == nil {
				return false
			}
			at++
		}
		s.words[at] = nil
		at++
	}
	c.program, c.argv, c.envv = s.words[0], &s.words[0], &s.words[h.Arguments+1]
	return text[len(text)-1] == 0
}
