package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// screen is a terminal that a session runs in, and all that it has shown.
type screen struct {
	t     *testing.T
	tty   *os.File
	shown chan string
	text  string
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;?]* ?[A-Za-z]|\x1b[=>]|\r")

// await waits until something is shown that was not awaited yet.
func (s *screen) await(want string) {
	s.t.Helper()
	late := time.After(20 * time.Second)
	for {
		if _, rest, ok := strings.Cut(s.text, want); ok {
			s.text = rest
			return
		}
		select {
		case more, open := <-s.shown:
			if !open {
				s.t.Fatalf("the session ended; %q is not in %q", want, s.text)
			}
			s.text = escapes.ReplaceAllString(s.text+more, "")
		case <-late:
			s.t.Fatalf("%q is not shown, but %q", want, s.text)
		}
	}
}

// prompted waits for the prompt behind what was awaited last: keys that come before it are the terminal's own.
func (s *screen) prompted() {
	s.t.Helper()
	s.await("> ")
}

func (s *screen) typed(keys string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// TestSessionInATerminal types into a real terminal: a line, a block, a completion, a mistake, a changed recipe, the
// history of an earlier session, and the end.
func TestSessionInATerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recipe := filepath.Join(dir, "foo.star")
	write := func(port string) {
		text := "port = flag(\"port\", type = \"port\", default = " + port + ", help = \"p\")\nservice(name = \"foo\", command = [\"/usr/bin/foo\", fmt(\"{}\", port)], probes = [http(port)])\n"
		temporary := recipe + ".new"
		if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temporary, recipe); err != nil {
			t.Fatal(err)
		}
	}
	write("8080")
	s, end := openSession(t, dir, recipe)
	s.prompted()
	s.typed("1 + 41\r")
	s.await("\n42")
	s.prompted()
	s.typed("def twice(n):\r    return n * 2\r\r")
	s.await("return n * 2")
	s.await("\n\n")
	s.prompted()
	s.typed("twice(40) + 4\r")
	s.await("84")
	s.prompted()
	s.typed("require_port_f")
	s.await("require_port_f")
	s.typed("\t")
	s.await("require_port_free")
	s.typed("?\r")
	s.await("Refuses a start while some process")
	s.await("step = require_port_free(8080)")
	s.prompted()
	s.typed("nope\r")
	s.await("[unknown-word]")
	s.prompted()
	write("8081")
	s.await("the recipe changed")
	s.await("+ 8081")
	s.typed(":resolve port\r")
	s.await(":resolve port")
	s.await("8081")
	s.prompted()
	first := recipe
	recipe = filepath.Join(dir, "bar.star")
	write("9090")
	s.typed(":load " + recipe + "\r:plan port\r")
	s.await("9090")
	s.prompted()
	write("9091")
	s.await("the recipe changed")
	s.await("+ 9091")
	recipe = first
	s.typed("\x04")
	end()

	s, end = openSession(t, dir, recipe)
	s.prompted()
	s.typed("\x1b[A") // the last line of the session before
	s.await(":plan port")
	s.typed("\x1b[A")
	s.await(":load")
	s.typed("\x1b[A")
	s.await(":resolve port")
	s.typed("\r")
	s.await("8081")
	s.prompted()
	s.typed(":quit\r")
	end()
}

// openSession starts recipe repl in a terminal; the function waits for its end, which must be a good one.
func openSession(t *testing.T, dir, recipe string) (*screen, func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "repl", recipe)
	cmd.Args[0] = "recipe"
	cmd.Env = append(os.Environ(), "TERM=xterm", "HOME="+dir, "INPUTRC=/dev/null", "RECIPE_STATE_DIR="+filepath.Join(dir, "state"), "RECIPE_RUNTIME_DIR="+filepath.Join(dir, "run"), "RECIPE_LOG_DIR="+filepath.Join(dir, "log"))
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	s := &screen{t: t, tty: tty, shown: make(chan string, 100)}
	go func() {
		defer close(s.shown)
		buffer := make([]byte, 4096)
		for {
			n, err := tty.Read(buffer)
			if n > 0 {
				s.shown <- string(buffer[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	return s, func() {
		t.Helper()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the session did not end well: %v; it showed %q", err, s.text)
		}
	}
}
