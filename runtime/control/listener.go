package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Listener is a supervisor's socket. It must be served or closed.
type Listener struct {
	path   string
	inode  uint64
	socket *net.UnixListener
	bounds bounds
	slots  chan struct{} // one for each open connection
	closed chan struct{}
	once   sync.Once
}

// bounds keep clients from holding the supervisor up.
type bounds struct {
	connections int           // further ones wait in the kernel's queue
	request     time.Duration // from a connection's first byte to its request's last
	answer      time.Duration // to take the answer
	idle        time.Duration // between the requests of a connection
	body        int64         // bytes
	head        int           // bytes
	closing     time.Duration // that open requests have to finish once the supervisor ends
}

func defaultBounds() bounds {
	return bounds{connections: 64, request: 5 * time.Second, answer: 10 * time.Second, idle: 10 * time.Second,
		body: 64 << 10, head: 16 << 10, closing: time.Second}
}

// lockTimeout bounds the wait for another supervisor that opens or closes its socket, which takes it milliseconds.
const lockTimeout = 5 * time.Second

// Listen makes the socket at path, whose folder must exist. It replaces a socket that a killed supervisor left, and
// fails, naming the process, where one is served.
func Listen(ctx context.Context, path string) (*Listener, error) {
	l, err := makeSocket(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	return l, nil
}

func makeSocket(ctx context.Context, path string) (*Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	unlock, err := lockFolder(ctx, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := replaceable(ctx, path); err != nil {
		return nil, err
	}
	socket, err := listen(path)
	if err != nil {
		return nil, err
	}
	inode, err := inodeOf(path)
	if err != nil {
		socket.Close()
		return nil, err
	}
	b := defaultBounds()
	return &Listener{path: path, inode: inode, socket: socket, bounds: b,
		slots: make(chan struct{}, b.connections), closed: make(chan struct{})}, nil
}

func inodeOf(path string) (uint64, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Sys().(*syscall.Stat_t).Ino, nil
}

// Path is where clients find the socket.
func (l *Listener) Path() string { return l.path }

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.socket.Addr() }

// Close removes the socket if it is still the one that Listen made, and ends Accept. It may be called twice.
func (l *Listener) Close() error {
	var err error
	l.once.Do(func() {
		close(l.closed)
		err = errors.Join(l.remove(), l.socket.Close())
	})
	return err
}

func (l *Listener) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	unlock, err := lockFolder(ctx, filepath.Dir(l.path))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	defer unlock()
	if inode, err := inodeOf(l.path); err != nil || inode != l.inode {
		return nil
	}
	return os.Remove(l.path)
}

// Accept implements net.Listener. It gives connections of root and of this process's user, and sends others away
// before a byte of theirs is looked at.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return nil, net.ErrClosed
		}
		release := sync.OnceFunc(func() { <-l.slots })
		conn, err := l.socket.AcceptUnix()
		if err != nil {
			release()
			return nil, err
		}
		peer, err := peerOf(conn)
		if err == nil && (peer.Uid == 0 || int(peer.Uid) == os.Geteuid()) {
			return &connection{UnixConn: conn, uid: int(peer.Uid), release: release}, nil
		}
		go func() {
			defer release()
			sendAway(conn)
		}()
	}
}

// sendAway answers 403 and lets the peer finish its request for a moment: a peer that is cut off while it writes never
// reads the answer.
func sendAway(conn *net.UnixConn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	const body = `{"code":"forbidden","error":"this supervisor listens to root and to its own user only"}` + "\n"
	fmt.Fprintf(conn, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
	conn.CloseWrite()
	io.CopyN(io.Discard, conn, 64<<10)
}

// connection is one of an allowed peer; closing it makes room for another.
type connection struct {
	*net.UnixConn
	uid     int
	release func()
}

func (c *connection) Close() error {
	c.release()
	return c.UnixConn.Close()
}
