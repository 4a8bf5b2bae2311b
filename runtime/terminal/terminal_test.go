package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// deadline bounds every wait.
const deadline = time.Minute

// paper is a log that can be read.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// reader captures as the log of a service does.
func (p *paper) reader(master int, take func(to, read []byte) []byte) (stop func(), err error) {
	own, err := unix.FcntlInt(uintptr(master), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(own), "master")
	ended := make(chan struct{})
	read := func() {
		buffer := make([]byte, 4096)
		for {
			n, err := f.Read(buffer)
			p.Write(take(nil, buffer[:n]))
			if err != nil {
				return
			}
		}
	}
	go func() {
		defer close(ended)
		read()
	}()
	return func() {
		select {
		case <-ended:
		case <-time.After(time.Second):
			f.SetReadDeadline(time.Now())
			<-ended
		}
		f.Close()
	}, nil
}

// run starts a script as the daemon of the terminal's next incarnation.
func run(t *testing.T, on *Terminal, script string) *exec.Cmd {
	t.Helper()
	side, err := on.Open(-1, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer side.Close()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	t.Cleanup(func() {
		once.Do(func() {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			cmd.Wait()
		})
	})
	return cmd
}

// watcher gathers what a viewer is shown.
type watcher struct {
	t *testing.T
	*Viewer
	heard chan struct{} // something more
	over  chan struct{}

	mu    sync.Mutex
	text  string
	notes []string
}

func watch(t *testing.T, on *Terminal, readOnly bool, size Size) *watcher {
	t.Helper()
	v, err := on.Attach(readOnly, size)
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{t: t, Viewer: v, heard: make(chan struct{}, 1), over: make(chan struct{})}
	t.Cleanup(func() { v.Close() })
	go func() {
		defer close(w.over)
		for {
			data, note, err := v.Next()
			if err != nil {
				return
			}
			w.mu.Lock()
			if w.text += string(data); note != "" {
				w.notes = append(w.notes, note)
			}
			w.mu.Unlock()
			select {
			case w.heard <- struct{}{}:
			default:
			}
		}
	}()
	return w
}

// sees waits for a text, shown or noted.
func (w *watcher) sees(text string) {
	w.t.Helper()
	late := time.After(deadline)
	for {
		w.mu.Lock()
		all := w.text + strings.Join(w.notes, "\n")
		w.mu.Unlock()
		if strings.Contains(all, text) {
			return
		}
		select {
		case <-w.heard:
		case <-late:
			w.t.Fatalf("%q was not seen, but %q", text, all)
		}
	}
}

func (w *watcher) types(text string) {
	w.t.Helper()
	if _, err := w.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

// size has the shell print it in a form that is not what was typed.
const printSize = "stty size | sed 's/^/is /'\n"

func TestWhatIsTypedReachesTheDaemon(t *testing.T) {
	t.Parallel()
	log := &paper{}
	on := New(log.reader)
	run(t, on, "read line; echo got $line; cat")
	one, two := watch(t, on, false, Size{}), watch(t, on, true, Size{})
	one.types("hello\r")
	one.sees("got hello")
	two.sees("got hello")
	if _, err := two.Write([]byte("x")); err == nil {
		t.Error("somebody who may only look has typed")
	}
	one.types("\x04") // the end of the input
	on.End()
	if got := log.String(); got != "hello\ngot hello\n" {
		t.Errorf("the log holds %q", got)
	}
}

func TestTheSmallestSizeHolds(t *testing.T) {
	t.Parallel()
	on := New((&paper{}).reader)
	run(t, on, "trap 'stty size' WINCH; stty size; echo ready; while :; do read line && eval \"$line\"; done")
	first := watch(t, on, false, Size{})
	first.sees("ready")
	first.sees("24 80")
	wide := watch(t, on, false, Size{200, 30})
	wide.sees("30 200") // which its WINCH told it
	tall := watch(t, on, false, Size{100, 60})
	tall.sees("30 100")
	watch(t, on, true, Size{10, 10})
	tall.types(printSize)
	tall.sees("is 30 100")
	tall.Resize(90, 20)
	tall.sees("20 90")
	tall.Close()
	wide.types(printSize)
	wide.sees("is 30 200")
	wide.Close()
	first.types("stty size | sed 's/^/still /'\n")
	first.sees("still 30 200")
}

func TestInterruptReachesTheForeground(t *testing.T) {
	t.Parallel()
	on := New((&paper{}).reader)
	run(t, on, "trap 'echo caught' INT; (echo ready; exec sleep 1000); echo went on; cat")
	w := watch(t, on, false, Size{})
	w.sees("ready")
	w.types("\x03")
	w.sees("went on") // the sleep is dead, and the shell has its trap
	w.sees("caught")
}

// ctrl-S stops what writes on most terminals, until somebody comes and presses ctrl-Q.
func TestNoKeyStopsTheDaemon(t *testing.T) {
	t.Parallel()
	on := New((&paper{}).reader)
	run(t, on, "read line; echo went on")
	w := watch(t, on, false, Size{})
	w.types("\x13\r")
	w.sees("went on")
}

func TestAStuckViewerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	on := New((&paper{}).reader)
	stuck, err := on.Attach(false, Size{})
	if err != nil {
		t.Fatal(err)
	}
	run(t, on, "seq 1 200000; echo all of it; cat")
	watch(t, on, false, Size{}).sees("all of it")
	if waiting := stuck.waiting; waiting > queueSize {
		t.Errorf("%d bytes wait for it", waiting)
	}
	_, note, err := stuck.Next()
	if err != nil || !strings.Contains(note, "bytes were not shown") {
		t.Errorf("it is told %q, %v", note, err)
	}
	var last []byte
	for data := []byte(nil); !bytes.Contains(last, []byte("all of it")); last = append(last, data...) {
		if data, _, err = stuck.Next(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatNobodyReadsIsDropped(t *testing.T) {
	t.Parallel()
	on := New((&paper{}).reader)
	run(t, on, "stty raw -echo; echo ready; exec sleep 1000")
	w := watch(t, on, false, Size{})
	w.sees("ready")
	w.types(strings.Repeat("x", 1<<20))
	w.sees("of what was typed within")
}

func TestViewersFollowARestart(t *testing.T) {
	t.Parallel()
	log := &paper{}
	on := New(log.reader)
	first := run(t, on, "printf '\\033[?1049h\\033[?25lone'; read x; printf 'last words'")
	w := watch(t, on, false, Size{})
	w.sees("one")
	late := watch(t, on, true, Size{})
	late.sees("\x1b[?25l\x1b[?1049h\x1b[?1049h\x1b[?25lone") // in the modes that hold, then what was written
	w.types("\r")
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	on.End()
	w.sees("last words\x1b[?25h\x1b[?1049l")
	w.types("lost")
	w.sees("no daemon runs that could read it")
	on.Note("another comes")
	w.sees("another comes")
	run(t, on, "echo two; cat")
	w.sees("two")
	if got := log.String(); !strings.HasPrefix(got, "one\nlast wordstwo") {
		t.Errorf("the log holds %q", got)
	}
	on.Close("there will be none")
	w.sees("there will be none")
	<-w.over
	if _, err := on.Attach(false, Size{}); err == nil {
		t.Error("somebody attached to a closed terminal")
	}
}

// What was written before the end is shown: the kernel hangs the terminal up when its leader ends, and the reader must have been faster.
func TestLastWordsAreKept(t *testing.T) {
	t.Parallel()
	log := &paper{}
	on := New(log.reader)
	const rounds = 100
	for i := range rounds {
		if err := run(t, on, fmt.Sprintf("seq 1 300; echo end %d", i)).Wait(); err != nil {
			t.Fatal(err)
		}
		on.End()
		if !strings.HasSuffix(log.String(), fmt.Sprintf("\nend %d\n", i)) {
			t.Fatalf("of the last words of run %d this is left: %q", i, log.String()[max(0, len(log.String())-50):])
		}
	}
}

// A daemon may close its terminal, and open it again by name.
func TestAClosedTerminalMayBeOpenedAgain(t *testing.T) {
	t.Parallel()
	on := New((&paper{}).reader)
	run(t, on, "exec </dev/null >/dev/null 2>&1; exec >/dev/tty; echo back; exec sleep 1000")
	watch(t, on, false, Size{}).sees("back")
}

func TestNobodyIsAttachedWithoutBound(t *testing.T) {
	t.Parallel()
	on := New((&paper{}).reader)
	for range mostViewers {
		watch(t, on, true, Size{})
	}
	if _, err := on.Attach(true, Size{}); err == nil {
		t.Error("one more than the most has attached")
	}
}

// A program that fills the screen draws it anew for whoever comes, though the size is the same.
func TestAFullScreenIsDrawnAnew(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("vi"); err != nil {
		t.Skip("there is no vi")
	}
	on := New((&paper{}).reader)
	cmd := run(t, on, "cd "+t.TempDir()+" && echo whatever >file && TERM=xterm HOME=$PWD exec vi file")
	first := watch(t, on, false, Size{80, 24})
	first.sees("whatever")
	first.types("Gihello\x1b")
	first.sees("hello")
	second := watch(t, on, false, Size{80, 24})
	second.sees("hello")
	first.Close()
	second.types(":q!\r")
	select {
	case err := <-ended(cmd):
		var failed *exec.ExitError
		if err != nil && !errors.As(err, &failed) {
			t.Error(err)
		}
	case <-time.After(deadline):
		t.Fatal("it has not taken the order to end")
	}
}

func ended(cmd *exec.Cmd) <-chan error {
	c := make(chan error, 1)
	go func() { c <- cmd.Wait() }()
	return c
}
