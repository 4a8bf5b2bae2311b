package notify

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

// receive hears one message; false where there is none.
func (e *Ear) receive(fd int, l Listener) bool {
	var text [longest + 1]byte
	var beside [2048]byte // the credentials and the descriptors take 1,060
	n, size, flags, _, err := unix.Recvmsg(fd, text[:], beside[:], unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if err == unix.EINTR {
		return true
	}
	if err != nil {
		return false
	}
	pid, descriptors := besides(beside[:size])
	defer func() {
		for _, fd := range descriptors {
			unix.Close(fd)
		}
	}()
	reason := ""
	switch {
	case pid <= 0:
		reason = "the kernel does not say whose it is"
	case !l.Belongs(pid):
		reason = "the process is none of the service's"
	case n > longest || flags&unix.MSG_TRUNC != 0:
		reason = fmt.Sprintf("it is longer than %d bytes", longest)
	case bytes.IndexByte(text[:n], 0) >= 0 && bytes.IndexByte(text[:n], 0) < n-1:
		reason = "it holds a NUL"
	}
	if reason != "" {
		e.strange.Add(1)
		l.Strange(pid, reason)
		return true
	}
	l.Hear(Parse(bytes.TrimRight(text[:n], "\x00")))
	return true
}

// besides reads what came beside a message: who sent it, and descriptors.
func besides(data []byte) (pid int, descriptors []int) {
	messages, err := unix.ParseSocketControlMessage(data)
	if err != nil {
		return 0, nil
	}
	for i := range messages {
		m := &messages[i]
		if m.Header.Level != unix.SOL_SOCKET {
			continue
		}
		switch m.Header.Type {
		case unix.SCM_RIGHTS:
			if files, err := unix.ParseUnixRights(m); err == nil {
				descriptors = append(descriptors, files...)
			}
		case unix.SCM_CREDENTIALS:
			if who, err := unix.ParseUnixCredentials(m); err == nil {
				pid = int(who.Pid)
			}
		}
	}
	return pid, descriptors
}

// line reads until a newline or the end.
func (e *Ear) line(fd int, ready func(bool)) bool {
	var text [512]byte
	n, err := unix.Read(fd, text[:])
	switch {
	case err == unix.EINTR:
		return true
	case err != nil:
		return false
	case n > 0 && bytes.IndexByte(text[:n], '\n') < 0:
		return true
	}
	e.close()
	ready(n > 0)
	return false
}
