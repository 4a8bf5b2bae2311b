package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pathLimit is the longest path that fits into a unix socket's address with its NUL.
const pathLimit = 107

// withAddress calls use with an address for the socket at path: the path itself, or one through a descriptor of its
// folder when it is too long. The address holds only during the call.
func withAddress(path string, use func(address string) error) error {
	if len(path) <= pathLimit {
		return use(path)
	}
	dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: filepath.Dir(path), Err: err}
	}
	defer unix.Close(dir)
	return use("/proc/self/fd/" + strconv.Itoa(dir) + "/" + filepath.Base(path))
}

// dial connects, whatever the path's length.
func dial(ctx context.Context, path string) (*net.UnixConn, error) {
	var conn net.Conn
	err := withAddress(path, func(address string) error {
		var err error
		conn, err = (&net.Dialer{}).DialContext(ctx, "unix", address)
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// listen binds a socket of mode 0600. On Linux a socket's mode before bind becomes its file's, so there is no moment
// in which the file is open to others.
func listen(path string) (*net.UnixListener, error) {
	var mode error
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		err := raw.Control(func(fd uintptr) { mode = unix.Fchmod(int(fd), 0o600) })
		return errors.Join(err, mode)
	}}
	var l net.Listener
	err := withAddress(path, func(address string) error {
		var err error
		l, err = config.Listen(context.Background(), "unix", address)
		return err
	})
	if err != nil {
		return nil, err
	}
	listener := l.(*net.UnixListener)
	listener.SetUnlinkOnClose(false) // Close removes it under the lock, and only if it is still ours
	return listener, nil
}

// replaceable removes the socket at path if nobody listens on it. It fails where somebody does and where the path is
// no socket. A listener that is stopped or swamped counts as listening: the kernel connects or says EAGAIN.
func replaceable(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("something that is no socket lies there; move it away")
	}
	conn, err := dial(ctx, path)
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		return os.Remove(path)
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot tell whether a supervisor listens there: %w", err)
	}
	defer conn.Close()
	who := "another process"
	if peer, err := peerOf(conn); err == nil {
		who = fmt.Sprintf("process %d", peer.Pid)
	}
	return fmt.Errorf("%s listens there already: end it first, or give the recipes another runtime folder with RECIPE_RUNTIME_DIR", who)
}

// lockName is the file of a folder of sockets that is locked while one of them is made or removed.
const lockName = ".sockets.lock"

// lockFolder keeps two supervisors from judging and replacing the same socket at once. The lock goes with the process. It
// is that of a file which nobody else may open: a folder that others may list, they may lock as well.
func lockFolder(ctx context.Context, folder string) (unlock func(), err error) {
	path := filepath.Join(folder, lockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			file.Close()
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("cannot lock %s: another supervisor holds it: %w", path, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// peerOf asks the kernel who made the other end.
func peerOf(conn *net.UnixConn) (*unix.Ucred, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	return peer, errors.Join(err, failed)
}
