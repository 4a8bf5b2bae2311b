package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// install puts a program where the supervisor's is installed, as package tools do: beside it, then by rename.
func (h *home) install(from string) string {
	h.t.Helper()
	path := filepath.Join(h.dir, "bin", "recipe")
	fresh := h.writeMode("bin/recipe.new", read(h.t, from), 0o755)
	if err := os.Rename(fresh, path); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// upgrade has the supervisor become what is installed.
func (h *home) upgrade() (stdout, stderr string, code int) {
	return h.recipe("restart", "--supervisor", "--json")
}

func (h *home) mustUpgrade() string {
	h.t.Helper()
	stdout, stderr, code := h.upgrade()
	var answer struct{ Supervisors []control.Upgraded }
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || code != 0 || len(answer.Supervisors) != 1 {
		h.t.Fatalf("the upgrade: exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	return answer.Supervisors[0].Version
}

// descriptors are how many a process has.
func descriptors(pid int) int {
	entries, _ := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	return len(entries)
}

// rate is what the daemon writes, in bytes a second; line is how long its lines are.
const rate, line = 50 << 20, 512

// writeLines is the daemon: numbered lines, until TERM, and then how many there were.
func writeLines() {
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, syscall.SIGTERM)
	out := bufio.NewWriterSize(os.Stdout, 32<<10)
	padding := strings.Repeat("x", line-len("0123456789 \n"))
	began, n := time.Now(), 0
	for len(ask) == 0 {
		for due := int(time.Since(began).Seconds() * rate / line); n < due; n++ {
			fmt.Fprintf(out, "%010d %s\n", n, padding)
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Fprintf(out, "last %d\n", n)
	out.Flush()
	os.Exit(0)
}

// tellOfItself is a daemon that says that it lives, five times a second.
func tellOfItself() {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		if _, err := conn.Write([]byte("READY=1\nWATCHDOG=1")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// self is this program, in the place of a daemon.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A hundred upgrades under 50 MB/s of log: not a byte is lost or torn, the daemon does not notice, and nothing grows. It
// takes about 15 s and 500 MB of disk.
func TestUpgradesLoseNoByteOfTheLog(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.write("writer.star", fmt.Sprintf(`
service(name = "writer", command = [%q, "lines"], logs = logs(size = "64MiB", keep = 1000), restart = restart(delay = "1h", cap = "1h"))
`, self(t)))
	// Its output is in the log alone.
	s := h.start(h.command("/bin/sh", "-c", "exec "+h.install(program)+" run "+file+" >/dev/null"))
	before := h.becomes("runs", "writer", "writer", func(s control.Status) bool { return s.IsUp() })
	upgrades := 100
	if testing.Short() {
		upgrades = 10
	}
	h.mustUpgrade()
	held := descriptors(s.cmd.Process.Pid)
	for range upgrades {
		h.mustUpgrade()
	}
	// Some come and go with what is done just now: a leak would be one an upgrade.
	if now := descriptors(s.cmd.Process.Pid); now > held+upgrades/2 {
		t.Errorf("%d descriptors after all upgrades, %d after the first", now, held)
	}
	after, ok := h.status("writer", "writer")
	if !ok || after.PID != before.PID || after.Restarts != 0 || !after.Since.Equal(before.Since) {
		t.Errorf("the daemon was touched: %+v, before %+v", after, before)
	}
	s.interrupt()
	h.checkLines()
	h.empty()
}

// checkLines reads the whole log: every line is there once, in order.
func (h *home) checkLines() {
	h.t.Helper()
	copies, _ := filepath.Glob(filepath.Join(h.dir, "log", "writer.log.*"))
	number := func(path string) int {
		n, _ := strconv.Atoi(path[strings.LastIndexByte(path, '.')+1:])
		return n
	}
	slices.SortFunc(copies, func(a, b string) int { return number(b) - number(a) })
	next, last := 0, ""
	for _, path := range append(copies, filepath.Join(h.dir, "log", "writer.log")) {
		f, err := os.Open(path)
		if err != nil {
			h.t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if last = lines.Text(); strings.HasPrefix(last, "last ") {
				continue
			}
			if len(last) != line-1 || !strings.HasPrefix(last, fmt.Sprintf("%010d ", next)) {
				h.t.Fatalf("%s: after line %d: %.40q", path, next-1, last)
			}
			next++
		}
		f.Close()
	}
	if want := fmt.Sprintf("last %d", next); last != want || next == 0 {
		h.t.Errorf("the log ends with %q, want %q", last, want)
	}
	h.t.Logf("%d MB in %d files", next*line>>20, len(copies)+1)
}

// another builds the program as another version, 9.9.9, that does what the file "fault" beside it says.
var another = sync.OnceValues(func() (string, error) {
	dir := filepath.Dir(program)
	overlay := map[string]string{}
	for name, change := range map[string][2]string{
		"cmd/recipe/cli/version.go": {`name := "(devel)"`, `return "recipe 9.9.9"; name := "(devel)"`},
		"cmd/recipe/cli/supervise.go": {"	taken, err := handover.Take()", `	driver.Dawdle()
	taken, err := handover.Take()`},
		"runtime/supervise/driver/resume.go": {"	c, err := decodeCarried", `	if fault() == "refuses" {
		return nil, fmt.Errorf("its disk is full")
	}
	if fault() == "panics" {
		panic("of the new version")
	}
	c, err := decodeCarried`},
		"runtime/supervise/driver/carried.go": {"	var c carried\n", `	if fault() == "cannot read" {
		return nil, fmt.Errorf("its format is 1, this program reads 2")
	}
	var c carried
`},
	} {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", err
		}
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if changed == string(text) {
			return "", fmt.Errorf("%s does not hold %q", name, change[0])
		}
		if strings.HasSuffix(name, "carried.go") {
			changed += `
func beside(name string) string {
	path, _ := os.Executable()
	return path[:len(path)-len("recipe")] + name
}

func fault() string {
	text, _ := os.ReadFile(beside("fault"))
	return string(text)
}

func Dawdle() {
	if fault() != "dawdles" {
		return
	}
	_ = os.WriteFile(beside("dawdles"), nil, 0o644)
	for fault() == "dawdles" {
		time.Sleep(time.Millisecond)
	}
}
`
		}
		to := filepath.Join(dir, "another-"+filepath.Base(name))
		if err := os.WriteFile(to, []byte(changed), 0o644); err != nil {
			return "", err
		}
		overlay[filepath.Join(source, name)] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o644)
	}
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "another")
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", out, "./cmd/recipe")
	build.Dir = source
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %s", err, text)
	}
	return out, nil
})

// A new program that crashes, hangs, cannot read the state or is none changes nothing, and it is said why. One that finds out
// after the exec that it cannot go on becomes the old one again.
func TestASuccessorThatCannotTakeOverChangesNothing(t *testing.T) {
	t.Parallel()
	next, err := another()
	if err != nil {
		t.Fatal(err)
	}
	h := newHome(t)
	file := h.write("sleeper.star", `service(name = "sleeper", command = ["/bin/sleep", "infinity"])`)
	installed := h.install(program)
	s := h.start(h.command(installed, "run", file))
	before := h.becomes("runs", "sleeper", "sleeper", func(s control.Status) bool { return s.IsUp() })
	script := func(name, text string) string { return h.writeMode("bin/"+name, "#!/bin/sh\n"+text, 0o755) }
	for _, test := range []struct {
		name, program, fault, says string
	}{
		{"crashes", script("crashes", "kill -SEGV $$"), "", "did not show that it can read the state: signal: segmentation fault"},
		{"hangs", script("hangs", "exec sleep 100"), "", "it did not show within 4s that it can read the state"},
		{"is another program", "/bin/true", "", "it does not know how to take over"},
		{"cannot be executed", h.write("bin/text", "\x7fELF of another machine"), "", "exec format error"},
		{"cannot read the state", next, "cannot read", "(recipe 9.9.9) cannot take over: it cannot read the state: its format is 1, this program reads 2"},
		{"cannot go on after all", next, "refuses", "its successor could not go on: its disk is full"},
		{"panics after all", next, "panics", "its successor could not go on: a fault of this program: of the new version"},
	} {
		h.install(test.program)
		h.write("bin/fault", test.fault)
		_, stderr, code := h.upgrade()
		if code != 1 || !strings.Contains(stderr, test.says) {
			t.Errorf("%s: exit code %d, %s", test.name, code, stderr)
		}
		if after, ok := h.status("sleeper", "sleeper"); !ok || after.PID != before.PID || !after.Since.Equal(before.Since) {
			t.Errorf("%s: the daemon was touched: %+v, before %+v", test.name, after, before)
		}
		if why := h.must("why", "sleeper"); !strings.Contains(why, test.says) {
			t.Errorf("%s: why tells nothing of it: %s", test.name, why)
		}
	}
	os.Remove(installed)
	if _, stderr, code := h.upgrade(); code != 1 || !strings.Contains(stderr, "no such file") {
		t.Errorf("missing: exit code %d, %s", code, stderr)
	}
	h.install(next)
	h.write("bin/fault", "")
	if version := h.mustUpgrade(); version != "recipe 9.9.9" {
		t.Errorf("the supervisor is %s", version)
	}
	if after, _ := h.status("sleeper", "sleeper"); after.PID != before.PID {
		t.Errorf("the daemon was touched: %+v, before %+v", after, before)
	}
	syscall.Kill(s.cmd.Process.Pid, syscall.SIGHUP)
	<-s.ended
	h.empty()
}

// A successor that is told to end before it has so much as looked at what it was handed ends what runs, as any supervisor.
func TestASuccessorThatIsToldToEndAtOnceEndsEverything(t *testing.T) {
	t.Parallel()
	next, err := another()
	if err != nil {
		t.Fatal(err)
	}
	h := newHome(t)
	file := h.write("sleeper.star", `service(name = "sleeper", command = ["/bin/sleep", "infinity"])`)
	s := h.start(h.command(h.install(program), "run", file))
	h.becomes("runs", "sleeper", "sleeper", func(s control.Status) bool { return s.IsUp() })
	h.install(next)
	h.write("bin/fault", "dawdles")
	syscall.Kill(s.cmd.Process.Pid, syscall.SIGUSR2)
	h.until("the successor runs", func() bool {
		_, err := os.Stat(filepath.Join(h.dir, "bin", "dawdles"))
		return err == nil
	}, s.out.String)
	syscall.Kill(s.cmd.Process.Pid, syscall.SIGTERM)
	h.write("bin/fault", "")
	<-s.ended
	if code := s.cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(s.out.String(), "stopped: the supervisor is ending") {
		t.Errorf("exit code %d: %s", code, s.out.String())
	}
	h.empty()
}

// edges are services that come to their next state when the file GO is there.
const edges = `
service(name = "stopping", command = ["/bin/sh", "-c", "trap '' TERM; until test -e 'GO'; do sleep 0.1; done"], stop = stop(grace = "5m"))
service(name = "preparing", command = ["/bin/sleep", "infinity"], prepare = [run(["/bin/sh", "-c", "until test -e 'GO'; do sleep 0.1; done"], timeout = "5m")])
service(name = "waiting", command = ["/bin/false"], restart = restart(delay = "1h", cap = "1h"))
service(name = "later", command = ["/bin/sleep", "infinity"], after = ["preparing"])
service(name = "probed", command = ["/bin/sleep", "infinity"], probes = [exec(["/bin/true"], every = "100ms")])
service(
    name = "tells",
    command = [SELF, "tells"],
    probes = [notify(role = "readiness"), notify(role = "liveness", every = "2s")],
)
service(name = "screen", command = ["/bin/sh", "-c", "test -t 0 && while sleep 0.1; do echo tick; done"], terminal = True)
task(name = "running", command = ["/bin/sh", "-c", "echo begun; until test -e 'GO'; do sleep 0.1; done; echo done"], every = "1h")
service(name = "dies", command = ["/bin/sh", "-c", "until test -e 'GO'; do sleep 0.1; done; exit 7"], restart = restart(delay = "1h", cap = "1h"))
`

// Upgrades hit services in every state: each goes on as if there had been none, and whoever waits for an effect is answered.
func TestUpgradesInEveryState(t *testing.T) {
	t.Parallel()
	eachUser(t, upgradesInEveryState)
}

func upgradesInEveryState(t *testing.T, h *home) {
	daemon := h.writeMode("bin/daemon", read(h.t, self(h.t)), 0o755)
	recipe := strings.NewReplacer("SELF", strconv.Quote(daemon), "GO", filepath.Join(h.dir, "go")).Replace(edges)
	s := h.start(h.command(h.install(program), "run", h.write("edges.star", recipe)))
	waiting := h.becomes("waits", "edges", "waiting", func(s control.Status) bool { return s.NextStart != nil && time.Until(*s.NextStart) > time.Minute })
	probed, tells := h.becomesHealthy("edges", "probed"), h.becomesHealthy("edges", "tells")
	screen := h.becomes("runs", "edges", "screen", func(s control.Status) bool { return s.IsUp() })
	preparing, _ := h.status("edges", "preparing")
	var all sync.WaitGroup
	all.Go(func() {
		if out, errs, code := h.recipe("stop", "stopping"); code != 0 || !strings.Contains(out, "stopping: stopped") {
			t.Errorf("the stop: exit code %d, %s%s", code, out, errs)
		}
	})
	all.Go(func() {
		if out, errs, code := h.recipe("start", "running"); code != 0 {
			t.Errorf("the run: exit code %d, %s%s", code, out, errs)
		}
	})
	h.becomes("is stopping", "edges", "stopping", func(s control.Status) bool { return s.State == control.Stopping })
	h.becomes("runs", "edges", "running", func(s control.Status) bool { return s.State == control.Running })
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	for range 3 {
		h.mustUpgrade()
	}
	h.write("go", "")
	for waited := true; waited; {
		h.mustUpgrade()
		select {
		case <-done:
			waited = false
		default:
		}
	}
	later := h.becomes("runs", "edges", "later", func(s control.Status) bool { return s.IsUp() })
	prepared := h.becomes("runs", "edges", "preparing", func(s control.Status) bool { return s.IsUp() })
	if prepared.PID != preparing.PID || later.Restarts+prepared.Restarts != 0 {
		t.Errorf("a start was begun anew: %+v, %+v; before %+v", prepared, later, preparing)
	}
	if now, _ := h.status("edges", "waiting"); now.NextStart == nil || now.NextStart.Sub(*waiting.NextStart).Abs() > time.Second || now.Restarts != waiting.Restarts {
		t.Errorf("the delay was counted anew: %+v, before %+v", now, waiting)
	}
	if now, _ := h.status("edges", "probed"); now.PID != probed.PID || now.State != control.Healthy || !now.Since.Equal(probed.Since) {
		t.Errorf("a healthy service was touched: %+v, before %+v", now, probed)
	}
	if now, _ := h.status("edges", "tells"); now.PID != tells.PID || now.State != control.Healthy {
		t.Errorf("a daemon was not heard any more: %+v, before %+v", now, tells)
	}
	if now, _ := h.status("edges", "screen"); now.PID != screen.PID {
		t.Errorf("a daemon lost its terminal: %+v, before %+v", now, screen)
	}
	h.until("the death is told", func() bool { return strings.Contains(h.must("why", "dies"), "exit 7") }, s.out.String)
	task, _ := h.status("edges", "running")
	if runs := task.Task.Runs; len(runs) != 1 || !runs[0].OK || !slices.Equal(runs[0].Words, []string{"begun", "done"}) {
		t.Errorf("the task's runs: %+v", runs)
	}
	s.interrupt()
	h.empty()
}

// A socket that the service is handed refuses nobody over upgrades, and connections to the supervisor that wait for a request,
// or have sent half of one, are answered by the successor.
func TestUpgradesKeepEveryConnection(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	port := freePort(t)
	file := h.write("web.star", fmt.Sprintf(`
service(name = "web", command = ["/bin/sleep", "infinity"], listen = [socket("http", port = %s, backlog = 4096)])
`, port))
	s := h.start(h.command(h.install(program), "run", file))
	h.becomes("runs", "web", "web", func(s control.Status) bool { return s.IsUp() })
	var refused, connected atomic.Int64
	stop := make(chan struct{})
	var askers sync.WaitGroup
	askers.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			conn, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err != nil {
				refused.Add(1)
				continue
			}
			connected.Add(1)
			conn.Close()
		}
	})
	socket := control.SocketPath(filepath.Join(h.dir, "run"), "web")
	dial := func() net.Conn {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	const request = "GET /v1/status HTTP/1.1\r\nHost: recipe\r\n\r\n"
	idle, half, fresh := dial(), dial(), dial()
	fmt.Fprint(idle, request)
	answer := func(conn net.Conn) {
		t.Helper()
		conn.SetReadDeadline(time.Now().Add(deadline))
		text := make([]byte, 64<<10)
		n, err := conn.Read(text)
		if err != nil || !strings.HasPrefix(string(text[:n]), "HTTP/1.1 200") {
			t.Errorf("the answer is %.100q, %v", text[:n], err)
		}
	}
	answer(idle)
	fmt.Fprint(half, request[:20])
	inode := func() uint64 {
		info, err := os.Lstat(socket)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	before := inode()
	for range 5 {
		h.mustUpgrade()
	}
	for range 2 {
		fmt.Fprint(idle, request)
		answer(idle)
	}
	fmt.Fprint(half, request[20:])
	answer(half)
	fmt.Fprint(fresh, request)
	answer(fresh)
	close(stop)
	askers.Wait()
	if refused.Load() > 0 || connected.Load() == 0 {
		t.Errorf("%d connections were refused, %d not", refused.Load(), connected.Load())
	}
	if after := inode(); after != before {
		t.Errorf("the control socket is another file: inode %d, before %d", after, before)
	}
	s.interrupt()
	h.empty()
}
