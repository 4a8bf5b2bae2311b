package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"recipe/runtime/control"
)

// operator is a `recipe attach` on a terminal of its own.
type operator struct {
	*home
	cmd      *exec.Cmd
	terminal *os.File // the side of whoever sits there
	tty      *os.File // and the program's, which outlives it
	before   unix.Termios
	out      output
	ended    chan struct{}
}

func (h *home) attach(columns, rows uint16, args ...string) *operator {
	h.t.Helper()
	terminal, tty, err := pty.Open()
	if err != nil {
		h.t.Fatal(err)
	}
	o := &operator{home: h, terminal: terminal, tty: tty, ended: make(chan struct{})}
	o.resize(columns, rows)
	o.before = o.modes()
	o.cmd = h.command(program, append([]string{"attach"}, args...)...)
	o.cmd.SysProcAttr.Setpgid, o.cmd.SysProcAttr.Setsid, o.cmd.SysProcAttr.Setctty = false, true, true
	o.cmd.Stdin, o.cmd.Stdout, o.cmd.Stderr = tty, tty, tty
	if err := o.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		o.cmd.Wait()
		close(o.ended)
	}()
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer)
			o.out.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	h.t.Cleanup(func() {
		o.cmd.Process.Kill()
		<-o.ended
		tty.Close()
		terminal.Close()
	})
	return o
}

func (o *operator) resize(columns, rows uint16) {
	o.t.Helper()
	if err := pty.Setsize(o.terminal, &pty.Winsize{Cols: columns, Rows: rows}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *operator) modes() unix.Termios {
	o.t.Helper()
	modes, err := unix.IoctlGetTermios(int(o.tty.Fd()), unix.TCGETS)
	if err != nil {
		o.t.Fatal(err)
	}
	return *modes
}

func (o *operator) types(text string) {
	o.t.Helper()
	if _, err := o.terminal.WriteString(text); err != nil {
		o.t.Fatal(err)
	}
}

func (o *operator) sees(text string) {
	o.t.Helper()
	o.until("the text "+text, func() bool { return strings.Contains(o.out.String(), text) }, o.out.String)
}

// leaves waits for the end, after which the terminal is as it was.
func (o *operator) leaves(code int) {
	o.t.Helper()
	o.until("the end of attach", func() bool {
		select {
		case <-o.ended:
			return true
		default:
			return false
		}
	}, o.out.String)
	if got := o.cmd.ProcessState.ExitCode(); got != code {
		o.t.Errorf("attach ended with exit code %d, wanted %d: %s", got, code, o.out.String())
	}
	if o.modes() != o.before {
		o.t.Errorf("the terminal is left in other modes than before")
	}
}

// shell is a service that takes commands on its terminal. Its step opens what it writes to by name, which must not make
// the terminal its own.
const shell = `service(
    name = "shell",
    command = ["/bin/sh", "-c", "trap : INT; while :; do read -r line && eval \"$line\"; done"],
    prepare = [run(["/bin/sh", "-c", "echo prepared >/dev/stderr"])],
    terminal = True,
)
service(name = "bare", command = ["/bin/sh", "-c", "while read -r line; do eval \"$line\"; done"], terminal = True)
service(name = "plain", command = ["/bin/sh", "-c", "echo plain words; exec sleep infinity"])
`

func TestAttach(t *testing.T) {
	t.Parallel()
	eachUser(t, func(t *testing.T, h *home) {
		s := h.run(h.write("shell.star", shell))
		up := func(s control.Status) bool { return s.IsUp() }
		first := h.becomes("runs", "shell", "shell", up)

		one := h.attach(100, 30, "shell")
		one.sees("attached to shell; ctrl-] detaches")
		one.sees("prepared")
		one.types("echo it is $((40 + 2)), $(stty size), $TERM >/dev/tty\r")
		one.sees("it is 42, 30 100, xterm")

		two := h.attach(90, 40, "shell", "--detach-keys", "ctrl-p,ctrl-q")
		two.sees("it is 42, 30 100, xterm") // what was shown last
		two.types("echo now $(stty size)\r")
		one.sees("now 30 90")
		looks := h.attach(10, 10, "shell", "--read-only")
		looks.sees("attached to shell, to look only; ctrl-c ends that")
		looks.sees("now 30 90")
		looks.types("echo typed by nobody\r")
		two.types("trap 'echo changed to $(stty size)' WINCH; echo traps are $((1 + 1))\r")
		two.sees("traps are 2")
		two.resize(82, 22)
		one.sees("changed to 22 82")

		one.types("(echo sleeping; exec sleep 1000); echo went on\r")
		one.sees("sleeping\r\n")
		one.types("\x03")
		one.sees("^Cwent on")

		two.types("\x10\x11")
		two.leaves(0)
		one.sees("changed to 30 100")
		one.types("\x1d")
		one.leaves(0)
		looks.cmd.Process.Signal(syscall.SIGTERM)
		looks.leaves(0)

		killed := h.attach(80, 24, "shell")
		killed.sees("attached to shell")
		killed.cmd.Process.Kill()
		<-killed.ended

		again := h.attach(80, 24, "shell")
		again.sees("attached to shell")
		again.types("echo still $((6 * 7))\r")
		again.sees("still 42")
		if now := h.becomes("runs", "shell", "shell", up); now.PID != first.PID {
			t.Errorf("process %d was followed by %d", first.PID, now.PID)
		}
		h.must("restart", "shell", "--why", "to see")
		again.sees("recipe: restart: restarted by ")
		again.types("echo anew $((6 * 7))\r")
		again.sees("anew 42")
		h.must("stop", "shell")
		again.types("echo lost\r")
		again.sees("no daemon runs that could read it")
		h.must("start", "shell")

		s.interrupt()
		again.sees("the service is not supervised any longer")
		again.leaves(0)
		h.empty()

		log := read(t, filepath.Join(h.dir, "log", "shell.log"))
		if strings.ContainsAny(log, "\r\x1b\x03") || !strings.Contains(log, "it is 42, 30 100, xterm\n") || strings.Contains(log, "nobody") {
			t.Errorf("the log holds %q", log)
		}
	})
}

func TestAttachThroughPipes(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.run(h.write("shell.star", shell))
	for _, service := range []string{"shell", "bare"} { // with steps and without
		h.becomes("runs", "shell", service, func(s control.Status) bool { return s.IsUp() })
		cmd := h.command(program, "attach", service, "--wait", "1s")
		cmd.Stdin = strings.NewReader("echo $((6 * 7)) >/dev/tty\n")
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), "\r\n42\r\n") {
			t.Errorf("%s said %q, %v", service, out, err)
		}
	}

	plain := h.attach(80, 24, "plain")
	plain.sees("plain has no terminal, so that it is shown and nothing can be typed; terminal = True in its service(...) gives it one")
	plain.sees("plain words")
	plain.types("\x03")
	plain.leaves(0)

	_, stderr, code := h.recipe("attach", "shel")
	if code != 1 || !strings.Contains(stderr, `did you mean "shell"`) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	_, stderr, code = h.recipe("attach", "shell", "--detach-keys", "ctrl-1")
	if code != 2 || !strings.Contains(stderr, "is no key") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	why := h.must("why", "shell")
	if !strings.Contains(why, "attach: attached by ") || !strings.Contains(why, "detach: detached by ") {
		t.Errorf("the decisions are\n%s", why)
	}
}

// A program that fills the screen is left, and its screen with it.
func TestDetachLeavesTheOtherScreen(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.run(h.write("shell.star", shell))
	h.becomes("runs", "shell", "shell", func(s control.Status) bool { return s.IsUp() })
	o := h.attach(80, 24, "shell")
	o.types(`printf '\033[?1049h\033[?25lfull' ` + "\r")
	o.sees("\x1b[?25lfull")
	o.types("\x1d")
	o.leaves(0)
	o.sees("\x1b[?25h\x1b[?1049l")
}
