package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
)

// following is the command while it goes on showing what happens.
type following struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

// follow runs the command with its folders in dir.
func follow(t *testing.T, dir string, args ...string) *following {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = "recipe"
	cmd.Env = append(os.Environ(), "RECIPE_LOG_DIR="+dir, "RECIPE_RUNTIME_DIR="+filepath.Join(dir, "run"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		late.Stop()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &following{t: t, cmd: cmd, lines: bufio.NewScanner(out)}
}

func (f *following) line() string {
	f.t.Helper()
	if !f.lines.Scan() {
		f.t.Fatalf("%q ended", f.cmd.Args)
	}
	return f.lines.Text()
}

// interrupt takes ctrl-C for the end that it is.
func (f *following) interrupt() {
	f.t.Helper()
	f.cmd.Process.Signal(os.Interrupt)
	if err := f.cmd.Wait(); err != nil {
		f.t.Errorf("an interrupt of %q is no success: %v", f.cmd.Args, err)
	}
}

// serveIn serves a pretender in dir until the context ends.
func serveIn(t *testing.T, ctx context.Context, dir string, p *pretender) (ended chan error) {
	t.Helper()
	folder := filepath.Join(dir, "run")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := control.Listen(ctx, control.SocketPath(folder, "one"), control.Groups{})
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	go func() { ended <- l.Serve(ctx, p) }()
	return ended
}

func TestLogsFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "foo.log")
	if err := os.WriteFile(log, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	follows := follow(t, dir, "logs", "foo", "-f", "-n", "1")
	if got := follows.line(); got != "two" {
		t.Errorf("got %q", got)
	}
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("three\n")
	if got := follows.line(); got != "three" {
		t.Errorf("got %q", got)
	}
	follows.interrupt()
}

// Events go on over supervisors, from where they were.
func TestEventsFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, end := context.WithCancel(t.Context())
	p := &pretender{services: []control.Status{{Service: "foo", State: control.Running}}}
	ended := serveIn(t, ctx, dir, p)
	follows := follow(t, dir, "events", "--since", "7", "--json")
	seq := func(want uint64) {
		t.Helper()
		var e control.Event
		if line := follows.line(); json.Unmarshal([]byte(line), &e) != nil || e.Seq != want {
			t.Errorf("got %q, want event %d", line, want)
		}
	}
	seq(8)
	seq(9)
	end()
	<-ended
	p.more(control.Event{Seq: 10})
	serveIn(t, t.Context(), dir, p)
	seq(10)
	follows.interrupt()
}

func TestStatusWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := &pretender{services: []control.Status{{Service: "foo", State: control.Running}}}
	serveIn(t, t.Context(), dir, p)
	watches := follow(t, dir, "status", "--watch", "--json")
	state := func(want control.State) {
		t.Helper()
		var answer struct{ Services []control.Status }
		if line := watches.line(); json.Unmarshal([]byte(line), &answer) != nil || len(answer.Services) != 1 || answer.Services[0].State != want {
			t.Errorf("got %q, want %s", line, want)
		}
	}
	state(control.Running)
	if _, err := p.Stop(t.Context(), "foo", control.Caller{}); err != nil {
		t.Fatal(err)
	}
	state(control.Stopped) // at the latest when it looks of itself
	watches.interrupt()
}

// A supervisor that does not answer is said once, and again when it does not answer otherwise.
func TestStatusWatchSaysWhoDoesNotAnswer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := &pretender{services: []control.Status{{Service: "foo", State: control.Running}}}
	serveIn(t, t.Context(), dir, p)
	broken, err := net.Listen("unix", filepath.Join(dir, "run", "broken.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	go http.Serve(broken, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	cmd := exec.Command("/proc/self/exe", "status", "--watch")
	cmd.Args[0] = "recipe"
	cmd.Env = append(os.Environ(), "RECIPE_LOG_DIR="+dir, "RECIPE_RUNTIME_DIR="+filepath.Join(dir, "run"))
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(said).ReadString('\n')
	if want := "broken.sock answered 418 I'm a teapot\n"; err != nil || !strings.HasSuffix(line, want) {
		t.Errorf("got %q, %v, want %q", line, err, want)
	}
}
