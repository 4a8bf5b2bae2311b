package driver

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm tells that a time has come. Unlike a timer of Go's, which counts by the monotonic clock, it goes off also when the
// time passed while the host slept, and when somebody set the clock. It is a timerfd, so that a goroutine in the poller is
// all that waits: nothing wakes up before its time.
type alarm struct {
	file *os.File
	fd   int
	ring func()
}

// newAlarm makes an alarm that calls ring, in a goroutine of its own, which must not block.
func newAlarm(ring func()) (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("cannot make a timer: %w", err)
	}
	a := &alarm{file: os.NewFile(uintptr(fd), "timer"), fd: fd, ring: ring}
	go a.wait()
	return a, nil
}

// at sets the alarm. It may ring too early: whoever hears it looks at the clock.
func (a *alarm) at(due time.Time) {
	// Of a time that carries the monotonic clock, what is left of it counts, whatever the wall clock did since.
	when := time.Now().Add(max(time.Until(due), 0)).UnixNano()
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(when)}
	if err := unix.TimerfdSettime(a.fd, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &spec, nil); err != nil && !errors.Is(err, unix.ECANCELED) {
		time.AfterFunc(max(time.Until(due), time.Second), a.ring) // no kernel that we know refuses
	}
}

// wait rings until close. A clock that was set fails the read with ECANCELED.
func (a *alarm) wait() {
	var count [8]byte
	for {
		_, err := a.file.Read(count[:])
		if err != nil && !errors.Is(err, unix.ECANCELED) {
			return
		}
		a.ring()
	}
}

func (a *alarm) close() { a.file.Close() }
