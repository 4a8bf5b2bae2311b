package logs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

const (
	forwardBytes = 1 << 20 // wait for the host's log
	syslogPiece  = 8 << 10 // bytes of a line that a syslog daemon takes at once; what is longer goes in several
)

// outlet is a socket of the host's log, shared by all services. A receiver that takes nothing for a second, or is not
// there, is left alone for another, and whoever wanted to send then is told.
type outlet struct {
	path string

	mu    sync.Mutex
	fd    int // 0: not connected
	again time.Time
	err   error // until then
}

func (o *outlet) send(message []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil && time.Now().Before(o.again) {
		return o.err
	}
	o.err = nil
	for tries := 0; ; tries++ {
		err := o.connect()
		if err == nil {
			err = o.write(message)
		}
		if err == nil {
			return nil
		}
		if errors.Is(err, unix.EAGAIN) {
			err = errors.New("nobody reads there")
		}
		o.disconnect()
		if tries == 0 && (err == unix.ECONNREFUSED || err == unix.ENOTCONN || err == unix.ECONNRESET) {
			continue // the receiver was started anew
		}
		o.err, o.again = fmt.Errorf("cannot send to %s: %w", o.path, err), time.Now().Add(retryEvery)
		return o.err
	}
}

func (o *outlet) connect() error {
	if o.fd > 0 {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	wait := unix.NsecToTimeval(patience.Nanoseconds())
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: o.path})
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	o.fd = fd
	return nil
}

func (o *outlet) disconnect() {
	if o.fd > 0 {
		unix.Close(o.fd)
		o.fd = 0
	}
}

func (o *outlet) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.disconnect()
}

func (o *outlet) write(message []byte) error {
	for {
		err := unix.Sendto(o.fd, message, unix.MSG_NOSIGNAL, nil)
		switch err {
		case unix.EINTR:
			continue
		case unix.EMSGSIZE:
			return o.writeFile(message)
		}
		return err
	}
}

// writeFile sends what is too large for a datagram as journald takes it: by the descriptor of a sealed file of memory.
func (o *outlet) writeFile(message []byte) error {
	fd, err := unix.MemfdCreate("recipe-log", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "recipe-log")
	defer f.Close()
	if _, err := f.Write(message); err != nil {
		return err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return err
	}
	return unix.Sendmsg(o.fd, nil, unix.UnixRights(fd), nil, unix.MSG_NOSIGNAL)
}

// forwarder sends lines to the host's log. The goroutine that delivers its queue alone has it.
type forwarder struct {
	to      plan.LogForward
	service string
	host    string
	outlet  *outlet
	lines   splitter
	unsent  int64 // lines, since the last that was sent
}

func (l *Log) newForwarder(to plan.LogForward) *forwarder {
	f := &forwarder{to: to, service: l.service, outlet: l.collector.outlet(to)}
	f.host, _ = os.Hostname()
	f.lines.emit = func(line []byte) { l.forwarded(f, f.send(line)) }
	return f
}

func (f *forwarder) deliver(c *chunk) (done bool) { return f.lines.deliver(c) }

func (f *forwarder) reason() string { return "not forwarded: the host's log did not keep up" }

// send puts an account of lines that could not be sent in front of the first that can.
func (f *forwarder) send(line []byte) error {
	if f.unsent > 0 {
		if err := f.sendPieces([]byte(fmt.Sprintf("recipe: %s not forwarded", counted(f.unsent)))); err != nil {
			return err
		}
		f.unsent = 0
	}
	return f.sendPieces(line)
}

func (f *forwarder) sendPieces(line []byte) error {
	for f.to != plan.ForwardJournald && len(line) > syslogPiece {
		if err := f.outlet.send(f.message(line[:syslogPiece], time.Now())); err != nil {
			return err
		}
		line = line[syslogPiece:]
	}
	return f.outlet.send(f.message(line, time.Now()))
}

// message is a line as its receiver takes it, of facility daemon (3) and level info (6).
func (f *forwarder) message(line []byte, at time.Time) []byte {
	line = bytes.ReplaceAll(line, []byte{0}, []byte{' '})
	switch f.to {
	case plan.ForwardJournald:
		return fmt.Appendf(nil, "PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", f.service, line)
	case plan.ForwardRFC5424:
		return fmt.Appendf(nil, "<30>1 %s %s %s - - - %s", at.UTC().Format(stamp), headerField(f.host, 255), headerField(f.service, 48), line)
	}
	return fmt.Appendf(nil, "<30>%s %s: %s", at.Format(time.Stamp), f.service, line) // as RFC 3164 has it, and syslog(3) on the host itself
}

// headerField is printable ASCII without blanks, "-" for nothing.
func headerField(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), most)]
}

// forwarded counts, and says the first of a row of failures in the file.
func (l *Log) forwarded(f *forwarder, err error) {
	if err == nil {
		return
	}
	f.unsent++
	l.mu.Lock()
	l.unforwarded++
	l.mu.Unlock()
	if f.unsent > 1 {
		return
	}
	l.withPipe(func() {
		l.disk.note("recipe: " + err.Error() + ": from here on lines are in this file alone")
		l.run(&l.disk)
	})
}

// setForward begins, changes or ends the forwarding. mu is held. What is queued for another receiver still goes there.
func (l *Log) setForward(to plan.LogForward) {
	if l.forward != nil {
		l.unforwarded += l.forward.lost
		l.forward = nil
	}
	if to != plan.ForwardNone {
		q := newQueue(&l.collector.memory, &l.collector.forwards, forwardBytes, l.newForwarder(to))
		l.forward = &q
	}
}
