package control

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Accept implements net.Listener. It gives connections of peers that may do something here, and sends others away before
// a byte of theirs is looked at.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c := l.nextCarried()
		if c == nil {
			conn, err := l.socket.AcceptUnix()
			if err != nil {
				l.parkIfHanding()
				return nil, err
			}
			c = &connection{UnixConn: conn, born: time.Now()}
			c.uid, c.may, err = l.groups.of(conn)
			if err != nil {
				c.may = nothing
			}
		}
		if !l.slot() {
			l.parkIfHanding()
			c.UnixConn.Close()
			return nil, net.ErrClosed
		}
		c.request.begins()
		c.release = sync.OnceFunc(func() {
			l.forget(c)
			<-l.slots
		})
		if c.may > nothing {
			l.remember(c)
			return c, nil
		}
		go func() {
			defer c.Close()
			sendAway(c.UnixConn)
		}()
	}
}

// slot waits for room. It makes some by closing the oldest connection whose request is not all there, once that has had
// a fair time; clients that hear no answer ask again. It reports false once the listener is closed.
func (l *Listener) slot() bool {
	for {
		select {
		case l.slots <- struct{}{}:
			return true
		default:
		}
		var old <-chan time.Time // never, where all are being answered
		if c := l.victim(); c != nil {
			wait := time.Until(c.born.Add(l.bounds.fair))
			if wait <= 0 {
				c.Close()
				continue
			}
			old = time.After(wait)
		}
		select {
		case l.slots <- struct{}{}:
			return true
		case <-old:
		case <-l.handing:
			return false
		case <-l.closed:
			return false
		}
	}
}

// victim is the oldest connection that is not being answered, of the user who has the most of them: one user's cannot
// take the room of another. It is nil where all are being answered.
func (l *Listener) victim() *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := map[int]int{}
	for _, c := range l.open {
		if !c.answering.Load() {
			count[c.uid]++
		}
	}
	var oldest *connection
	for _, c := range l.open {
		if !c.answering.Load() && (oldest == nil || count[c.uid] > count[oldest.uid]) {
			oldest = c
		}
	}
	return oldest
}

func (l *Listener) remember(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, c)
}

func (l *Listener) forget(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = slices.DeleteFunc(l.open, func(other *connection) bool { return other == c })
}

// sendAway answers 403 and lets the peer finish its request for a moment: a peer that is cut off while it writes never
// reads the answer.
func sendAway(conn *net.UnixConn) {
	conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	const body = `{"code":"forbidden","error":"this supervisor listens to root, to its own user and to the groups that it was given only"}` + "\n"
	fmt.Fprintf(conn, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
	conn.CloseWrite()
	io.CopyN(io.Discard, conn, 64<<10)
}

// connection is one of an allowed peer; closing it makes room for another.
type connection struct {
	*net.UnixConn
	uid       int
	may       access
	born      time.Time
	answering atomic.Bool // a request is all there and has no answer yet
	release   func()
	request   underway
}
