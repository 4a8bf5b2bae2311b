package control

import (
	"context"
	"errors"
	"fmt"
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
	groups groupIDs
	kept   string        // the file that keeps the answers to commands; "" for none
	slots  chan struct{} // one for each open connection
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	open []*connection // the oldest first

	handing chan struct{} // closed by Hand
	parked  chan struct{} // closed when nothing is accepted any more, for that
	park    func()
	carried []*connection // by the predecessor, until they are accepted
	handed  []*os.File    // what carried and socket were made from, until Settle
	orders  *orders       // that are remembered; set by Serve
	resumed bool
	ordered []HandedOrder // by the predecessor
}

// bounds keep clients from holding the supervisor up.
type bounds struct {
	connections int           // further ones wait in the kernel's queue
	request     time.Duration // from a connection's first byte to its request's last
	fair        time.Duration // that a connection is left alone though others wait
	answer      time.Duration // to take the answer
	idle        time.Duration // between the requests of a connection
	body        int64         // bytes
	head        int           // bytes
	closing     time.Duration // that open requests have to finish once the supervisor ends
	again       time.Duration // that a client whose connection broke has to ask again for the answer to its command
	orders      int           // commands whose answers are remembered
	answers     int           // bytes of those answers, but for the last one
	viewers     int           // streams of events
	viewer      time.Duration // that a viewer may take nothing
}

func defaultBounds() bounds {
	return bounds{connections: 64, request: 5 * time.Second, fair: 20 * time.Millisecond, answer: 10 * time.Second, idle: 10 * time.Second,
		body: 64 << 10, head: 16 << 10, closing: time.Second, again: 30 * time.Second, orders: 512, answers: 4 << 20, viewers: 16, viewer: time.Minute}
}

// lockTimeout bounds the wait for another supervisor that opens or closes its socket, which takes it milliseconds.
const lockTimeout = 5 * time.Second

// Listen makes the socket at path, whose folder must exist, and opens it to the groups. It replaces a socket that a
// killed supervisor left, and fails, naming the process, where one is served.
func Listen(ctx context.Context, path string, groups Groups) (*Listener, error) {
	l, err := makeSocket(ctx, path, groups)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	return l, nil
}

func makeSocket(ctx context.Context, path string, groups Groups) (*Listener, error) {
	ids, err := groups.resolve()
	if err != nil {
		return nil, err
	}
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
	if err == nil {
		err = ids.open(path)
	}
	if err != nil {
		socket.Close()
		os.Remove(path)
		return nil, err
	}
	return newListener(path, inode, socket, ids), nil
}

func newListener(path string, inode uint64, socket *net.UnixListener, groups groupIDs) *Listener {
	b := defaultBounds()
	l := &Listener{path: path, inode: inode, socket: socket, bounds: b, groups: groups, slots: make(chan struct{}, b.connections),
		closed: make(chan struct{}), handing: make(chan struct{}), parked: make(chan struct{})}
	l.park = sync.OnceFunc(func() { close(l.parked) })
	return l
}

func inodeOf(path string) (uint64, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Sys().(*syscall.Stat_t).Ino, nil
}

// Stands is false once the socket's file was removed or is another.
func (l *Listener) Stands() bool {
	inode, err := inodeOf(l.path)
	return err == nil && inode == l.inode
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
