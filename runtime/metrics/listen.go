package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"recipe/runtime/control"
)

// Address is where metrics are served: HOST:PORT, or unix:PATH.
type Address struct {
	host, port, path string
}

// ParseAddress reads an address. Without a host it is the loopback's; 0.0.0.0 or [::] has to be asked for by name.
func ParseAddress(text string) (Address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if !filepath.IsAbs(path) {
			return Address{}, fmt.Errorf("cannot serve metrics on %q: give the socket's absolute path, as in unix:/run/recipe/metrics.sock", text)
		}
		return Address{path: filepath.Clean(path)}, nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return Address{}, fmt.Errorf("cannot serve metrics on %q: give HOST:PORT, as in 127.0.0.1:9464, or unix:PATH", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Address{}, fmt.Errorf("cannot serve metrics on %q: %q is no port from 0 to 65535", text, port)
	} else {
		port = strconv.FormatUint(n, 10)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return Address{host: host, port: port}, nil
}

// Listen opens the address. A unix socket takes root, this process's user and the groups, which may read, as a control
// socket does; one that nobody listens on is replaced.
func (a Address) Listen(ctx context.Context, groups control.Groups) (net.Listener, error) {
	l, err := a.open(ctx, groups)
	if err != nil {
		return nil, err
	}
	return &limited{Listener: l, slots: make(chan struct{}, connections), closed: make(chan struct{})}, nil
}

func (a Address) open(ctx context.Context, groups control.Groups) (net.Listener, error) {
	if a.path != "" {
		return control.Listen(ctx, a.path, groups)
	}
	address := net.JoinHostPort(a.host, a.port)
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

// connections that are open at once; further ones wait in the kernel's queue.
const connections = 16

// limited gives as many connections at once as there are slots.
type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slotted{Conn: conn, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type slotted struct {
	net.Conn
	release func()
}

func (c *slotted) Close() error {
	c.release()
	return c.Conn.Close()
}
