// Package terminal holds the terminals of services that have one: the supervisor has the master of a pseudoterminal, the
// daemon the other side, and operators see what is written and type.
//
//	Terminal  one service's, over its incarnations: Open for the next, End after its last process, Attach at any time
//	Viewer    one operator who looks, and types unless read-only
//	Plain     what was written, without control sequences, for the log
//	Modes     what sequences have switched on, so that it can be switched off again, or on for who comes later
//	Keys      the keys that detach
//
// Rules:
//   - Each incarnation has a terminal of its own: what an earlier one left cannot write to it, and the kernel hangs it up when its leader ends.
//   - The daemon is held up by its log alone, as without a terminal. A viewer has a bounded queue; what does not fit is dropped, and counted.
//   - The size is the smallest of those who type, so that all see the whole screen; who only looks changes nothing.
//   - Between incarnations viewers stay, and are told.
//   - When its leader ends, the kernel gives up what was written and has not been read yet beyond some 4 KiB. So it is read at once.
//   - A service without a terminal costs nothing here; one with it two descriptors and 32 KiB at most.
//
// Tests: real terminals, on both sides, and fuzz targets for what sequences are made of.
package terminal

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Size in characters.
type Size struct{ Columns, Rows int }

// usual is the size before anybody has attached.
var usual = Size{Columns: 80, Rows: 24}

const (
	mostViewers = 16
	ringSize    = 32 << 10    // bytes of what was written last: a screen of 200 by 50 in colours
	inputTime   = time.Second // that the daemon may take to read what was typed
)

// Terminal is one service's. Its methods may be called concurrently, but for Open and End, which come in turn.
type Terminal struct {
	capture Capture

	mu      sync.Mutex
	master  *os.File // nil between incarnations
	slave   *os.File // ours, so that a daemon that closes its own may open it again
	stop    func()   // of the capture
	size    Size
	ring    []byte
	modes   Modes
	plain   *Plain // of the capture alone, until it is stopped
	viewers []*Viewer
	closed  string // why nobody can attach any longer

	typing sync.Mutex // input of one viewer at a time
}

// Capture reads a terminal's master until stop is called, which reads what is left. take gets what was read, and appends to to what is for the log.
type Capture func(master int, take func(to, read []byte) []byte) (stop func(), err error)

// New makes one that is read by capture.
func New(capture Capture) *Terminal { return &Terminal{capture: capture, size: usual} }

// Open gives the side of the next incarnation, to be closed by the caller once that has it. It belongs to uid and gid, or to whoever calls where they are -1, and nobody else may write to it.
func (t *Terminal) Open(uid, gid int) (*os.File, error) {
	t.End()
	master, slave, err := pair()
	if err != nil {
		return nil, fmt.Errorf("cannot make a terminal: %w", err)
	}
	err = errors.Join(settle(int(slave.Fd())), unix.Fchown(int(slave.Fd()), uid, gid), unix.Fchmod(int(slave.Fd()), 0o600))
	own := -1
	if err == nil {
		own, err = unix.FcntlInt(slave.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	}
	var stop func()
	plain := &Plain{}
	if err == nil { // without mu, which the capture asks for while it holds its own
		err = onDescriptor(master, func(fd int) error {
			stop, err = t.capture(fd, t.taker(plain))
			return err
		})
	}
	if err != nil {
		master.Close()
		slave.Close()
		unix.Close(own)
		return nil, fmt.Errorf("cannot make a terminal: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.master, t.slave, t.stop, t.plain = master, os.NewFile(uintptr(own), "terminal"), stop, plain
	t.apply()
	return slave, nil
}

// pair makes both sides. The master does not block: a goroutine that waits for it costs no thread.
func pair() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: "/dev/ptmx", Err: err}
	}
	var other uintptr
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
		var errno unix.Errno // by descriptor: what lies in /dev/pts here may be another's
		if other, _, errno = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC); errno != 0 {
			err = errno
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), "terminal"), os.NewFile(other, "terminal"), nil
}

// settle has ctrl-S and ctrl-Q mean nothing: a daemon must not stop because somebody pressed a key and left.
func settle(slave int) error {
	modes, err := unix.IoctlGetTermios(slave, unix.TCGETS)
	if err != nil {
		return err
	}
	modes.Iflag = modes.Iflag&^unix.IXON | unix.IUTF8
	return unix.IoctlSetTermios(slave, unix.TCSETS, modes)
}

// taker takes what one incarnation writes: for those who look, and, without control sequences, for the log.
func (t *Terminal) taker(plain *Plain) func(to, read []byte) []byte {
	return func(to, read []byte) []byte {
		t.show(read)
		return plain.Append(to, read)
	}
}

func (t *Terminal) show(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.modes.Take(p)
	t.ring = append(t.ring, p...)
	if over := len(t.ring) - ringSize; over > 0 {
		t.ring = t.ring[:copy(t.ring, t.ring[over:])]
	}
	for _, v := range t.viewers {
		v.push(p)
	}
}

// End gives the incarnation's terminal up, when nothing of its tree is left: what it wrote has been shown and logged.
func (t *Terminal) End() {
	t.mu.Lock()
	master, slave, stop := t.master, t.slave, t.stop
	t.master, t.slave, t.stop = nil, nil, nil
	t.mu.Unlock()
	if master == nil {
		return
	}
	slave.Close()
	stop()
	master.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	back := t.modes.Reset()
	t.modes, t.ring = Modes{}, nil
	for _, v := range t.viewers {
		v.push(back)
	}
}

// Note tells everybody who looks.
func (t *Terminal) Note(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range t.viewers {
		v.Note(text)
	}
}

// Close ends the terminal and everybody's look at it.
func (t *Terminal) Close(why string) {
	t.End()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = why
	for _, v := range t.viewers {
		v.end(why)
	}
	t.viewers = nil
}

// Attach adds somebody who looks, and types unless readOnly. It begins with what was written last. A size of zeros is that of somebody without a screen.
func (t *Terminal) Attach(readOnly bool, size Size) (*Viewer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed != "":
		return nil, errors.New(t.closed)
	case len(t.viewers) >= mostViewers:
		return nil, fmt.Errorf("%d look at it already, which is the most", mostViewers)
	}
	v := &Viewer{terminal: t, readOnly: readOnly, size: size}
	v.ready.L = &v.mu
	v.push(slices.Concat(t.modes.Set(), fromStart(t.ring)))
	t.viewers = append(t.viewers, v)
	if !t.resize() && !readOnly && size != (Size{}) {
		t.redraw()
	}
	return v, nil
}

// fromStart leaves out the rest of a line or sequence whose start is gone.
func fromStart(ring []byte) []byte {
	if len(ring) < ringSize {
		return ring
	}
	at := slices.IndexFunc(ring, func(b byte) bool { return b == '\n' || b == esc })
	return ring[max(at, 0):]
}

func (t *Terminal) leave(v *Viewer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.viewers = slices.DeleteFunc(t.viewers, func(other *Viewer) bool { return other == v })
	t.resize()
}

// resize takes the smallest size of those who type, and stays as it is without any. It reports whether it changed. mu is held.
func (t *Terminal) resize() bool {
	var least Size
	for _, v := range t.viewers {
		if v.readOnly || v.size.Columns <= 0 || v.size.Rows <= 0 {
			continue
		}
		if least == (Size{}) {
			least = v.size
		}
		least = Size{min(least.Columns, v.size.Columns), min(least.Rows, v.size.Rows)}
	}
	if least == (Size{}) || least == t.size {
		return false
	}
	t.size = least
	t.apply()
	return true
}

// apply has the kernel tell the daemon by WINCH, if the size is another. mu is held.
func (t *Terminal) apply() {
	if t.master != nil {
		_ = onDescriptor(t.master, func(fd int) error {
			return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(t.size.Columns), Row: uint16(t.size.Rows)})
		})
	}
}

// redraw has a program that fills the screen do so again, as after a change of the size; others ignore it. mu is held.
func (t *Terminal) redraw() {
	if t.master == nil {
		return
	}
	_ = onDescriptor(t.master, func(fd int) error {
		group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		if err == nil && group > 1 {
			err = unix.Kill(-group, unix.SIGWINCH)
		}
		return err
	})
}

// onDescriptor calls do with the descriptor, which is not closed meanwhile.
func onDescriptor(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	failed := raw.Control(func(fd uintptr) { err = do(int(fd)) })
	return errors.Join(failed, err)
}

// input reaches the daemon as typed.
func (t *Terminal) input(p []byte) error {
	t.typing.Lock()
	defer t.typing.Unlock()
	t.mu.Lock()
	master := t.master
	t.mu.Unlock()
	if master == nil {
		return errors.New("no daemon runs that could read it")
	}
	_ = master.SetWriteDeadline(time.Now().Add(inputTime))
	n, err := master.Write(p)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the daemon has not read %d bytes of what was typed within %s: they are dropped", len(p)-n, inputTime)
	case err != nil:
		return errors.New("the daemon has ended, or has closed its terminal")
	}
	return nil
}
