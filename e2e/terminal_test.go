package e2e

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"recipe/runtime/control"
)

// onTerminal starts `recipe run` as the session leader of a terminal of its own, as a login does. Whoever calls reads it.
func (h *home) onTerminal(args ...string) (s *supervisor, terminal *os.File) {
	h.t.Helper()
	terminal, tty, err := pty.Open()
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { terminal.Close() })
	cmd := h.command(program, append([]string{"run"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	s = &supervisor{home: h, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	tty.Close()
	go func() {
		cmd.Wait()
		close(s.ended)
	}()
	h.t.Cleanup(func() { // before the terminal's: what is left of a failed test ends by itself
		cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(deadline, func() { cmd.Process.Kill() })
		defer late.Stop()
		<-s.ended
	})
	return s, terminal
}

func (s *supervisor) ends() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(deadline):
		s.t.Fatalf("the supervisor has not ended within %s", deadline)
	}
}

// A real ctrl-C, typed: the daemons are no part of the terminal's foreground group, so only the supervisor hears it.
func TestCtrlCOnATerminalLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	args, _ := ports(t)
	s, terminal := h.onTerminal(append(args, "--dev", h.tour())...)
	go io.Copy(&s.out, terminal)
	h.becomesHealthy("foo", "foo")
	if _, err := terminal.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	s.ends()
	h.empty()
	h.until("the end is shown", func() bool { return strings.Contains(s.out.String(), "foo: stopped") }, s.out.String)
}

// A terminal that goes away, as when a login is cut off, ends the supervisor in good order.
func TestAClosedTerminalLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	args, _ := ports(t)
	s, terminal := h.onTerminal(append(args, "--dev", h.tour())...) // and not read: a read would hold it open
	h.becomesHealthy("foo", "foo")
	terminal.Close()
	s.ends()
	h.empty()
}

// A terminal that nobody reads, as after ctrl-S, holds up neither the daemon nor its supervision. The daemon's lines are
// all in its log.
func TestAStoppedTerminalStopsNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	recipe := h.write("loud.star", `service(name = "loud", command = ["/bin/sh", "-c", "i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); echo line $i; done; exec sleep 1000"])`)
	s, terminal := h.onTerminal(recipe)
	log := filepath.Join(h.dir, "log", "loud.log")
	h.until("the last line is in the log", func() bool {
		text, _ := os.ReadFile(log)
		return strings.HasSuffix(string(text), "line 30000\n")
	}, func() string { return log })
	if text := read(t, log); strings.Count(text, "\n") != 30000 {
		t.Errorf("the log has %d lines, wanted 30000", strings.Count(text, "\n"))
	}
	h.must("restart", "loud")
	h.must("stop", "loud")
	go io.Copy(io.Discard, terminal)
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.ends()
	h.empty()
}

// A supervisor under nohup, or one that a shell put into the background, goes on when the login ends.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	recipe := h.write("sleeper.star", `service(name = "sleeper", command = ["/bin/sleep", "infinity"])`)
	s := h.start(h.command("/bin/sh", "-c", `trap "" HUP INT; exec "$0" run "$1"`, program, recipe))
	up := func(s control.Status) bool { return s.IsUp() }
	first := h.becomes("runs", "sleeper", "sleeper", up)
	for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if err := s.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	// Both signals are older than the restart's answer: one that was heard would have refused it.
	h.must("restart", "sleeper")
	if second := h.becomes("runs", "sleeper", "sleeper", up); second.PID == first.PID {
		t.Errorf("process %d was not restarted", first.PID)
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.ends()
	h.empty()
}
