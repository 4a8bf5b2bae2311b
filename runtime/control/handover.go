package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"recipe/runtime/handover"
)

// A supervisor that becomes another program keeps its clients. A connection that waits for a request, has sent a part of
// one, or waits for an answer of which it has nothing yet is handed on with what was read of the request: the successor
// reads that again and answers. What was ordered by it already is not ordered again (HandOn, HandedOn). One that is just
// being answered is waited for, a second at most; one that is answered without end, as a stream is, breaks, and its client
// comes again.

// Handed is what a Listener leaves for that of the program that this process becomes by exec.
type Handed struct {
	Listener    int                `json:"listener"` // descriptor of the socket
	Inode       uint64             `json:"inode"`    // of its path
	Connections []HandedConnection `json:"connections,omitempty"`
	Ordered     []HandedOrder      `json:"ordered,omitempty"`
}

// HandedConnection is one that is open.
type HandedConnection struct {
	Descriptor int    `json:"descriptor"`
	Read       []byte `json:"read,omitempty"`    // of a request that is not answered
	Ordered    bool   `json:"ordered,omitempty"` // what it asks for was ordered
}

// Descriptors are all that Handed speaks of.
func (h Handed) Descriptors() []int {
	all := []int{h.Listener}
	for _, c := range h.Connections {
		all = append(all, c.Descriptor)
	}
	return all
}

// Describe tells what Hand would hand on now.
func (l *Listener) Describe() (h Handed, err error) {
	h.Inode = l.inode
	if h.Listener, err = handover.Number(l.socket); err != nil {
		return h, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.open {
		c.request.mu.Lock()
		one, failed := c.describe()
		leave := c.request.foreign || c.request.answers
		c.request.mu.Unlock()
		if failed == nil && !leave {
			h.Connections = append(h.Connections, one)
		}
	}
	if l.orders != nil {
		h.Ordered = l.orders.ordered()
	}
	return h, nil
}

// handPatience is how long an answer under way is waited for, or whoever is just being accepted.
const handPatience = time.Second

// Hand accepts, reads and answers nothing any more. There is no way back.
func (l *Listener) Hand() (Handed, error) {
	close(l.handing)
	_ = l.socket.SetDeadline(time.Unix(1, 0))
	until := time.Now().Add(handPatience)
	select {
	case <-l.parked:
	case <-time.After(handPatience):
	}
	for busy := true; busy; {
		busy = false
		for _, c := range l.connections() {
			busy = !c.hand() || busy
		}
		if busy = busy && time.Now().Before(until); busy {
			time.Sleep(time.Millisecond)
		}
	}
	return l.Describe()
}

func (l *Listener) connections() []*connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.open)
}

// parkIfHanding never returns once the listener is handed on.
func (l *Listener) parkIfHanding() {
	select {
	case <-l.handing:
		l.park()
		select {}
	default:
	}
}

// Resume goes on with what was handed on.
func Resume(path string, groups Groups, h Handed) (*Listener, error) {
	l, err := resume(path, groups, h)
	if err != nil {
		return nil, fmt.Errorf("cannot go on listening on %s: %w", path, err)
	}
	return l, nil
}

func resume(path string, groups Groups, h Handed) (*Listener, error) {
	ids, err := groups.resolve()
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(h.Listener), path)
	socket, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	listener, ok := socket.(*net.UnixListener)
	if !ok {
		return nil, errors.New("what was handed on is no unix socket")
	}
	listener.SetUnlinkOnClose(false)
	l := newListener(path, h.Inode, listener, ids)
	l.resumed, l.ordered = true, h.Ordered
	l.handed = append(l.handed, file)
	for _, one := range h.Connections {
		file := os.NewFile(uintptr(one.Descriptor), path)
		l.handed = append(l.handed, file)
		conn, err := net.FileConn(file)
		if err != nil {
			return nil, err
		}
		client, ok := conn.(*net.UnixConn)
		if !ok {
			return nil, errors.New("what was handed on is no connection of a unix socket")
		}
		uid, may, err := ids.of(client)
		if err != nil {
			return nil, err
		}
		c := &connection{UnixConn: client, uid: uid, may: may, born: time.Now()}
		c.request.again, c.request.given = one.Read, &given{before: one.Ordered}
		l.carried = append(l.carried, c)
	}
	return l, nil
}

// Settle gives up the descriptors that were handed on, of which the listener has its own by now.
func (l *Listener) Settle() {
	for _, file := range l.handed {
		file.Close()
	}
	l.handed = nil
}

// nextCarried is a connection that a predecessor had, while there are any. Accept's goroutine alone takes them.
func (l *Listener) nextCarried() *connection {
	if len(l.carried) == 0 {
		return nil
	}
	c := l.carried[0]
	l.carried = l.carried[1:]
	return c
}
