// Package systemd tells the init that started this process how it is, by the protocol of sd_notify(3), which systemd and
// some others speak, and takes what that init kept of an earlier process of the same unit.
//
// Rules:
//   - What the init told this process is nobody else's: Take removes it from the environment, so that no child has it, and
//     GiveBack puts it back for a program that this process becomes by exec.
//   - An init that does not listen stops nobody: a message that it does not take within a second is dropped.
//
// Package notify is the other side, of the daemons.
//
// store.go is for what it keeps. Tests: a socket in place of systemd's; package hosttest has systemd itself.
package systemd

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The variables of the protocol.
const (
	notifySocket = "NOTIFY_SOCKET"
	watchdogTime = "WATCHDOG_USEC"
	watchdogPID  = "WATCHDOG_PID"
)

// Init is an init that listens. A nil one is none: what it is told is nothing.
type Init struct {
	address     string
	watchdog    time.Duration
	environment []string // NAME=value, that Take found
	stores      bool
	kept        map[string]int
}

// Take returns the init that listens to this process, and nil where none does. It must be called before descriptors are opened.
func Take() *Init {
	i := &Init{kept: takeHanded()}
	for _, name := range []string{notifySocket, watchdogTime, watchdogPID, storeSize} {
		if value, ok := os.LookupEnv(name); ok {
			i.environment = append(i.environment, name+"="+value)
			os.Unsetenv(name)
		}
	}
	told := func(name string) string {
		for _, v := range i.environment {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
	i.address = told(notifySocket)
	if !strings.HasPrefix(i.address, "/") && !strings.HasPrefix(i.address, "@") {
		return nil
	}
	size, err := strconv.Atoi(told(storeSize))
	i.stores = err == nil && size > 0
	if pid := told(watchdogPID); pid == "" || pid == strconv.Itoa(os.Getpid()) {
		if n, err := strconv.ParseInt(told(watchdogTime), 10, 64); err == nil && n > 0 && n <= int64(24*time.Hour/time.Microsecond) {
			i.watchdog = time.Duration(n) * time.Microsecond
		}
	}
	return i
}

// GiveBack puts into the environment what Take removed.
func (i *Init) GiveBack() {
	if i == nil {
		return
	}
	for _, v := range i.environment {
		name, value, _ := strings.Cut(v, "=")
		os.Setenv(name, value)
	}
}

// Watchdog is how long the init waits for a sign of life before it ends this process; 0 where it does not wait for any.
func (i *Init) Watchdog() time.Duration {
	if i == nil {
		return 0
	}
	return i.watchdog
}

// Say tells the init all of the assignments, such as READY=1, as one message.
func (i *Init) Say(assignments ...string) error {
	if i == nil {
		return nil
	}
	if err := i.send(strings.Join(assignments, "\n"), nil); err != nil {
		return fmt.Errorf("cannot tell the init at %s: %w", i.address, err)
	}
	return nil
}

func (i *Init) send(text string, descriptors []int) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	patience := unix.NsecToTimeval(time.Second.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &patience); err != nil {
		return err
	}
	var rights []byte
	if len(descriptors) > 0 {
		rights = unix.UnixRights(descriptors...)
	}
	for {
		err := unix.Sendmsg(fd, []byte(text), rights, &unix.SockaddrUnix{Name: i.address}, unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return err
		}
	}
}

// Reloading is what is to be said when this process is about to become another program, until that says READY=1.
func Reloading() []string {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return []string{"RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000)}
}

// Extend asks for that much time from now on, to start or to stop.
func Extend(by time.Duration) string { return fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", by.Microseconds()) }
