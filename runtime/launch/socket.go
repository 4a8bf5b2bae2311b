package launch

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Socket is a listening socket made concrete: a port on Host, or a path. Whoever supervises opens it.
type Socket struct {
	Name    string
	Type    plan.SocketType
	Host    string // "" is every address
	Port    int64
	Path    string
	Backlog int
	Ownership
}

// Sockets computes the sockets of the service for this host, in the order of their descriptors.
func Sockets(s *plan.Service, env *expr.Env) ([]Socket, error) {
	var all []Socket
	r := &resolver{env: env}
	for _, socket := range s.Listen {
		concrete := Socket{Name: socket.Name, Type: socket.Type, Host: socket.Host, Backlog: socket.Backlog, Ownership: Ownership{socket.Owner, socket.Group, socket.Mode}}
		place := "the socket " + socket.Name
		if socket.Path.IsZero() {
			concrete.Port = r.value(place, socket.Port).Int
		} else {
			concrete.Path = r.text(place, socket.Path)
		}
		all = append(all, concrete)
	}
	return all, r.err
}

// Address tells sockets apart: there is one at most with the same.
func (s *Socket) Address() string {
	if s.Path != "" {
		return fmt.Sprintf("the %s socket %s", s.Type, s.Path)
	}
	protocol := map[plan.SocketType]string{plan.Stream: "TCP", plan.Datagram: "UDP"}[s.Type]
	if s.Host == "" {
		return fmt.Sprintf("%s port %d", protocol, s.Port)
	}
	return fmt.Sprintf("%s port %s", protocol, net.JoinHostPort(s.Host, strconv.FormatInt(s.Port, 10)))
}

// Open listens. Of a path a socket that nobody listens on is replaced, and nothing else; its directory is made, and no link
// followed that another than root made, nor one in the last element. The descriptor blocks, as daemons expect of one that
// they are handed.
func (s *Socket) Open() (*os.File, error) {
	fd, err := s.open()
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %s", s.Address(), reason(err))
	}
	return os.NewFile(uintptr(fd), s.Name), nil
}

func (s *Socket) open() (fd int, err error) {
	kind := map[plan.SocketType]int{plan.Stream: unix.SOCK_STREAM, plan.Datagram: unix.SOCK_DGRAM}[s.Type]
	switch ip := net.ParseIP(s.Host); {
	case s.Path != "":
		fd, err = s.bindPath(kind)
	case s.Port < 1 || s.Port > 65535:
		return -1, errors.New("ports are 1 to 65535")
	case ip.To4() != nil:
		fd, err = bindPort(unix.AF_INET, kind, &unix.SockaddrInet4{Port: int(s.Port), Addr: [4]byte(ip.To4())})
	case ip != nil:
		fd, err = bindPort(unix.AF_INET6, kind, &unix.SockaddrInet6{Port: int(s.Port), Addr: [16]byte(ip)})
	default:
		fd, err = bindPort(unix.AF_INET6, kind, &unix.SockaddrInet6{Port: int(s.Port)})
		if err == unix.EAFNOSUPPORT || err == unix.EADDRNOTAVAIL { // a host without IPv6
			fd, err = bindPort(unix.AF_INET, kind, &unix.SockaddrInet4{Port: int(s.Port)})
		}
	}
	if err == nil && s.Type == plan.Stream {
		if err = unix.Listen(fd, s.Backlog); err != nil {
			unix.Close(fd)
		}
	}
	return fd, err
}

// Adjust gives a socket that is open already the backlog, mode and owner that it is to have now.
func (s *Socket) Adjust(file *os.File) error {
	if s.Type == plan.Stream {
		if err := unix.Listen(int(file.Fd()), s.Backlog); err != nil {
			return fmt.Errorf("cannot listen on %s: %s", s.Address(), reason(err))
		}
	}
	if s.Path == "" {
		return nil
	}
	return s.settlePath()
}

func bindPort(family, kind int, address unix.Sockaddr) (int, error) {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if kind == unix.SOCK_STREAM { // of datagrams it would let two share a port
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if v6, ok := address.(*unix.SockaddrInet6); err == nil && ok && v6.Addr == [16]byte{} {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
	}
	if err == nil {
		err = unix.Bind(fd, address)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// longestPath is what the kernel's address holds before its final NUL (unix(7)). The root of a run may make it longer than
// the plan's.
const longestPath = 107

func (s *Socket) bindPath(kind int) (int, error) {
	if len(s.Path) > longestPath {
		return -1, fmt.Errorf("the path has %d bytes, and a socket's at most %d: choose a shorter one, or a shorter root", len(s.Path), longestPath)
	}
	if err := unled(s.Path); err != nil {
		return -1, err
	}
	if err := makeParents(s.Path); err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	address := &unix.SockaddrUnix{Name: s.Path}
	if err = unix.Fchmod(fd, 0o600); err == nil { // of the file too, until it has its owner
		err = unix.Bind(fd, address)
	}
	if err == unix.EADDRINUSE {
		if err = s.clearStale(kind); err == nil {
			err = unix.Bind(fd, address)
		}
	}
	if err == nil {
		err = s.settlePath()
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// clearStale removes the socket file that a process left which did not come to do so itself.
func (s *Socket) clearStale(kind int) error {
	var st unix.Stat_t
	if err := unix.Lstat(s.Path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errors.New("something else has the path, and is left alone")
	}
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: s.Path}); err != unix.ECONNREFUSED {
		return errors.New("another process listens on it")
	}
	return unix.Unlink(s.Path)
}

// settlePath gives the socket's file its owner and mode.
func (s *Socket) settlePath() error {
	want, err := s.Ownership.lookUp()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.Path, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return fmt.Errorf("%s was replaced by something else", s.Path)
	}
	return want.settle(s.Path, file)
}

// The environment by which a process learns of the sockets that it is handed (sd_listen_fds(3)).
const (
	listenCount = "LISTEN_FDS"
	listenPID   = "LISTEN_PID"
	listenNames = "LISTEN_FDNAMES"
	firstSocket = 3
)

// listening is what the daemon is told of its sockets.
func (s *Spec) listening() []string {
	if len(s.Listen) == 0 {
		return nil
	}
	return []string{
		fmt.Sprintf("%s=%d", listenCount, len(s.Listen)), fmt.Sprintf("%s=%d", listenPID, os.Getpid()), listenNames + "=" + strings.Join(s.Listen, ":"),
	}
}

// handed gives the descriptors that this process was started with for the daemon: its sockets, which have to be those of the
// service, and the pipe of its readiness, where whoever started us has one. No step has them.
func (s *Spec) handed() (descriptors []int, err error) {
	n := len(s.Listen)
	if n > 0 && (os.Getenv(listenPID) != strconv.Itoa(os.Getpid()) || os.Getenv(listenCount) != strconv.Itoa(n)) {
		return nil, errors.New(notHanded(s.Listen))
	}
	var st unix.Stat_t
	if s.Ready > 0 && (unix.Fstat(s.Ready, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO) {
		s.Ready = 0 // nobody waits for it, and the descriptor may be the runtime's own
	}
	for i := range s.Handed() {
		unix.CloseOnExec(s.at(i))
		descriptors = append(descriptors, s.at(i))
	}
	return descriptors, nil
}

func socketNames(s *plan.Service) []string {
	var names []string
	for _, socket := range s.Listen {
		names = append(names, socket.Name)
	}
	return names
}

func notHanded(names []string) string {
	return fmt.Sprintf("it was not handed its listening sockets (%s): its socket unit or a supervisor opens them", strings.Join(names, ", "))
}

// Handed is how many descriptors the daemon finds besides its output: its sockets, and the pipe of its readiness.
func (s *Spec) Handed() int {
	if s.Ready > 0 {
		return len(s.Listen) + 1
	}
	return len(s.Listen)
}

// Beyond is the least descriptor behind all that is handed.
func (s *Spec) Beyond() int { return max(firstSocket+len(s.Listen), s.Ready+1) }

// at is where the daemon finds the i-th.
func (s *Spec) at(i int) int {
	if i < len(s.Listen) {
		return firstSocket + i
	}
	return s.Ready
}

// lift moves what is handed to where it is in nobody's way, nor in its own.
func (s *Spec) lift(sockets []int) ([]int, error) {
	lifted := make([]int, len(sockets))
	for i, fd := range sockets {
		var err error
		if lifted[i], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, s.Beyond()); err != nil {
			return nil, fmt.Errorf("cannot keep descriptor %d: %s", fd, reason(err))
		}
	}
	return lifted, nil
}

// place lets what was lifted through the exec, where the daemon finds it. Whatever had these numbers is closed: nothing may be
// there that this process still needs.
func (s *Spec) place(lifted, keep []int) error {
	for _, fd := range keep {
		if len(lifted) > 0 && fd >= firstSocket && fd < s.Beyond() {
			return errors.New("the limit of open files is too low for its sockets")
		}
	}
	for i, fd := range lifted {
		if err := unix.Dup3(fd, s.at(i), 0); err != nil {
			return fmt.Errorf("cannot hand over a socket: %s", reason(err))
		}
	}
	return nil
}
