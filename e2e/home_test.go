package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// deadline bounds every wait: long enough for a loaded machine, short enough to say what hangs.
const deadline = 60 * time.Second

// nobody is an ordinary user that every Debian has.
const nobody = 65534

// home is a user's folders: a working directory with recipes, and those of the runtime.
type home struct {
	t   *testing.T
	dir string
	uid int // whose processes run here; -1 for the tester's own
}

func newHome(t *testing.T) *home {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		t.Fatal(err)
	}
	h := &home{t: t, dir: dir, uid: -1}
	t.Cleanup(func() {
		for _, pid := range mentioning(dir) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		// A process that was just killed may still write.
		for range 100 {
			if os.RemoveAll(dir) == nil {
				return
			}
		}
	})
	return h
}

// eachUser runs a test as the tester and, where that is root, as an ordinary user too, for whom no cgroup is writable.
func eachUser(t *testing.T, test func(t *testing.T, h *home)) {
	users := map[string]int{"tester": -1}
	if os.Geteuid() == 0 {
		users["nobody"] = nobody
	}
	for name, uid := range users {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.give(uid)
			test(t, h)
		})
	}
}

// give makes everything of the home the user's, now and from now on; -1 is the tester.
func (h *home) give(uid int) {
	h.t.Helper()
	if h.uid = uid; uid < 0 {
		return
	}
	err := filepath.WalkDir(h.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, uid))
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// write makes a file of the home and returns its path.
func (h *home) write(name, text string) string { return h.writeMode(name, text, 0o644) }

func (h *home) writeMode(name, text string, mode fs.FileMode) string {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	syscall.ForkLock.RLock() // a child that another test starts meanwhile would hold it open, and who executes it is refused
	err := os.WriteFile(path, []byte(text), mode)
	syscall.ForkLock.RUnlock()
	if err != nil {
		h.t.Fatal(err)
	}
	if h.uid >= 0 {
		for at := path; at != h.dir; at = filepath.Dir(at) {
			if err := os.Lchown(at, h.uid, h.uid); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return path
}

// replace writes a file as most editors do: beside it, then by rename.
func (h *home) replace(name, text string) {
	h.t.Helper()
	fresh := h.write(name+".new", text)
	if err := os.Rename(fresh, filepath.Join(h.dir, name)); err != nil {
		h.t.Fatal(err)
	}
}

// tour copies the tour's recipe, with the food that was built for the tests in the place of its build step's.
func (h *home) tour(change ...string) string {
	h.t.Helper()
	text := read(h.t, filepath.Join(source, "recipes/foo/foo.star"))
	begin := strings.Index(text, "    build = [")
	end := strings.Index(text, "    contents = [")
	if begin < 0 || end < begin {
		h.t.Fatal("foo.star has no build step before its contents")
	}
	text = text[:begin] + text[end:]
	for _, pair := range pairs(change) {
		if !strings.Contains(text, pair[0]) {
			h.t.Fatalf("foo.star does not hold %q", pair[0])
		}
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	h.write("foo.conf", read(h.t, filepath.Join(source, "recipes/foo/foo.conf")))
	h.writeMode("dist/food", read(h.t, food), 0o755)
	return h.write("foo.star", text)
}

func pairs(list []string) [][2]string {
	var all [][2]string
	for i := 0; i+1 < len(list); i += 2 {
		all = append(all, [2]string{list[i], list[i+1]})
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (h *home) environment() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "TMPDIR=" + h.dir, "LANG=C",
		"RECIPE_RUNTIME_DIR=" + filepath.Join(h.dir, "run"), "RECIPE_STATE_DIR=" + filepath.Join(h.dir, "state"),
		"RECIPE_LOG_DIR=" + filepath.Join(h.dir, "log"),
	}
	return env
}

func (h *home) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = h.dir, h.environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if h.uid >= 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(h.uid), Gid: uint32(h.uid)}
	}
	return cmd
}

// recipe runs a command that ends by itself. The exit code is -1 when it was killed at the deadline.
func (h *home) recipe(args ...string) (stdout, stderr string, code int) {
	h.t.Helper()
	cmd := h.command(program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	late := time.AfterFunc(deadline, func() { cmd.Process.Kill() })
	defer late.Stop()
	cmd.Wait()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed, and returns its answer.
func (h *home) must(args ...string) string {
	h.t.Helper()
	stdout, stderr, code := h.recipe(args...)
	if code != 0 {
		h.t.Fatalf("recipe %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// supervisor is a `recipe run` under way.
type supervisor struct {
	*home
	cmd   *exec.Cmd
	first int // the supervisor's own process, where that is a child of cmd's; else 0
	out   output
	ended chan struct{}
}

// output collects what a process writes; it may be read meanwhile.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run starts `recipe run` with the arguments.
func (h *home) run(args ...string) *supervisor {
	h.t.Helper()
	return h.start(h.command(program, append([]string{"run"}, args...)...))
}

func (h *home) start(cmd *exec.Cmd) *supervisor {
	h.t.Helper()
	s := &supervisor{home: h, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &s.out, &s.out
	// Processes that outlive the supervisor may hold its output; its own end is what is waited for.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(s.ended)
	}()
	h.t.Cleanup(func() {
		if h.t.Failed() {
			lines := strings.SplitAfter(s.out.String(), "\n")
			h.t.Logf("recipe run said last:\n%s", strings.Join(lines[max(0, len(lines)-60):], ""))
		}
		// A supervisor that ends by itself takes its daemons along.
		cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(deadline, func() { cmd.Process.Kill() })
		defer late.Stop()
		<-s.ended
	})
	return s
}

// interrupt ends the supervisor as ctrl-C does and returns once it is gone.
func (s *supervisor) interrupt() {
	s.t.Helper()
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT) // the terminal's whole foreground group gets it
	select {
	case <-s.ended:
	case <-time.After(deadline):
		s.t.Fatalf("the supervisor does not end within %s of ctrl-C", deadline)
	}
}

// kill ends the supervisor at once, as the kernel does when it is out of memory.
func (s *supervisor) kill() {
	s.cmd.Process.Kill()
	<-s.ended
}

// status asks the supervisor of the recipe for one service, and reports whether it answered.
func (h *home) status(recipe, service string) (control.Status, bool) {
	for _, s := range h.all(recipe) {
		if s.Service == service {
			return s, true
		}
	}
	return control.Status{}, false
}

// all is what the recipe's supervisor says of its services; nothing where it does not answer.
func (h *home) all(recipe string) []control.Status {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, _ := control.NewClient(control.SocketPath(filepath.Join(h.dir, "run"), recipe)).Status(ctx)
	return all
}

// becomes waits until the service is as the condition says, and returns it.
func (h *home) becomes(what, recipe, service string, holds func(control.Status) bool) control.Status {
	h.t.Helper()
	var last control.Status
	h.until(service+" "+what, func() bool {
		s, ok := h.status(recipe, service)
		if ok {
			last = s
		}
		return ok && holds(s)
	}, func() string { return fmt.Sprintf("it is %+v", last) })
	return last
}

func (h *home) becomesHealthy(recipe, service string) control.Status {
	h.t.Helper()
	return h.becomes("turns healthy", recipe, service, func(s control.Status) bool { return s.State == control.Healthy })
}

// until polls for something that happens in another process. last says how things stood at the deadline.
func (h *home) until(what string, holds func() bool, last func() string) {
	h.t.Helper()
	for end := time.Now().Add(deadline); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("not seen within %s: %s; %s", deadline, what, last())
		}
	}
}

// empty fails unless no process of the home is left.
func (h *home) empty() {
	h.t.Helper()
	for _, pid := range mentioning(h.dir) {
		h.t.Errorf("process %d is left: %s", pid, name(pid))
	}
}

// ownGroup is a cgroup2 for the test alone, or "" where none can be made.
func ownGroup(t *testing.T) string {
	t.Helper()
	for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		path := filepath.Join(mount, fmt.Sprintf("recipe-test-%d-%d", os.Getpid(), rand.Uint32()))
		if os.Mkdir(path, 0o755) != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(path, "cgroup.freeze")); err != nil {
			os.Remove(path)
			continue
		}
		t.Cleanup(func() {
			for end := time.Now().Add(deadline); os.Remove(path) != nil && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				leaves, _ := filepath.Glob(filepath.Join(path, "*", "cgroup.procs"))
				for _, leaf := range leaves {
					os.Remove(filepath.Dir(leaf))
				}
			}
		})
		return path
	}
	return ""
}

// freePort finds a port that nobody has.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// ports are the arguments that give the tour free ports; web is the base of its URLs.
func ports(t *testing.T) (args []string, web string) {
	port := freePort(t)
	return []string{"--set", "port=" + port, "--set", "ping-port=" + freePort(t)}, "http://127.0.0.1:" + port
}

var client = http.Client{Timeout: 5 * time.Second}

// ask is a GET, or "" when nobody answers.
func ask(url string) string {
	r, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(r.Body)
	return string(text)
}

// tell is a POST; a daemon that dies of it answers nothing.
func tell(url string) string {
	r, err := client.Post(url, "", nil)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(r.Body)
	return string(text)
}
