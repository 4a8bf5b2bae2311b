package cli

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	tty "recipe/runtime/terminal"
)

// screen is the terminal of whoever attaches, where there is one: typed is nil without one to type on, shown without one
// to see.
type screen struct {
	out   io.Writer
	typed *os.File
	shown *os.File

	mu     sync.Mutex
	before *unix.Termios // nil unless it is raw
	modes  tty.Modes
}

func newScreen(in io.Reader, out io.Writer) *screen {
	return &screen{out: out, typed: terminalOf(in), shown: terminalOf(out)}
}

// terminalOf is the file of a stream that is a terminal, or nil.
func terminalOf(stream any) *os.File {
	if f := fileOf(stream); f != nil && isTerminal(f) {
		return f
	}
	return nil
}

// fileOf is the file that a stream is, or nil.
func fileOf(stream any) *os.File {
	if answers, ok := stream.(*answerWriter); ok {
		stream = answers.to
	}
	f, _ := stream.(*os.File)
	return f
}

// size is zeros where there is no terminal to see.
func (t *screen) size() (columns, rows int) {
	if t.shown == nil {
		return 0, 0
	}
	size, err := unix.IoctlGetWinsize(int(t.shown.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(size.Col), int(size.Row)
}

// raw has every key reach us, and nothing that is written be changed.
func (t *screen) raw() error {
	if t.typed == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before, err := unix.IoctlGetTermios(int(t.typed.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	raw := *before
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(t.typed.Fd()), unix.TCSETS, &raw); err != nil {
		return err
	}
	t.before = before
	return nil
}

// restore leaves the terminal as it was, and switches off what the daemon has switched on. It may be called twice.
func (t *screen) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shown != nil {
		t.shown.Write(t.modes.Reset())
		t.modes = tty.Modes{}
	}
	if t.before != nil {
		_ = unix.IoctlSetTermios(int(t.typed.Fd()), unix.TCSETS, t.before)
		fmt.Fprintln(t.out)
		t.before = nil
	}
}

// restoreOnPanic is deferred by goroutines, whose panic ends the program before anything else is run.
func (t *screen) restoreOnPanic() {
	if p := recover(); p != nil {
		t.restore()
		panic(p)
	}
}

func (t *screen) show(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shown != nil {
		t.modes.Take(p)
	}
	_, err := t.out.Write(p)
	return err
}

// clear makes room for all that is shown anew.
func (t *screen) clear() { _ = t.show([]byte("\x1b[H\x1b[2J")) }

// note shows a line of the supervisor's on a line of its own.
func (t *screen) note(to io.Writer, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil { // nobody adds a carriage return
		fmt.Fprintf(to, "\rrecipe: %s\r\n", text)
		return
	}
	fmt.Fprintf(to, "recipe: %s\n", text)
}
