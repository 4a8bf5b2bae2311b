package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asDaemon makes the test binary be food itself, for what only a process can show.
const asDaemon = "FOOD_AS_DAEMON"

func TestMain(m *testing.M) {
	if os.Args[0] == childName {
		lingerForever()
	}
	if os.Getenv(asDaemon) != "" {
		os.Exit(run(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func newDaemon(t *testing.T) (*daemon, *httptest.Server) {
	t.Helper()
	s, err := parseArguments([]string{"--foreground", "--workers=3"})
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{settings: s, argv: []string{"food"}, log: newLog(io.Discard, io.Discard, s.level),
		working: make(chan struct{}, s.workers), hung: make(chan struct{})}
	server := httptest.NewServer(d.routes())
	t.Cleanup(func() {
		server.CloseClientConnections() // Close alone would wait for the requests that hang
		server.Listener.Close()
	})
	return d, server
}

func body(t *testing.T, r *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("status %s, %q, %v", r.Status, text, err)
	}
	return string(text)
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	return body(t, r, err)
}

func post(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Post(url, "", nil)
	return body(t, r, err)
}

func TestAnswers(t *testing.T) {
	_, server := newDaemon(t)
	for path, want := range map[string]string{"/": "foo\n", "/healthz": "ok\n", "/level": "info\n"} {
		if got := get(t, server.URL+path); got != want {
			t.Errorf("GET %s = %q, want %q", path, got, want)
		}
	}
	post(t, server.URL+"/do/leak?mib=2")
	var got statistics
	if err := json.Unmarshal([]byte(get(t, server.URL+"/stats")), &got); err != nil {
		t.Fatal(err)
	}
	if got.PID != os.Getpid() || got.Workers != 3 || got.Level != "info" || got.Leaked != 2 || len(got.Argv) != 1 {
		t.Errorf("GET /stats = %+v", got)
	}
	r, err := http.Post(server.URL+"/do/leak?mib=-1", "", nil)
	if err != nil || r.StatusCode != http.StatusBadRequest {
		t.Errorf("a leak of -1 MiB: %v, %v, want status 400", r.Status, err)
	}
}

func servePing(t *testing.T, d *daemon) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go d.servePing(l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestPingIsAnswered(t *testing.T) {
	d, _ := newDaemon(t)
	conn := servePing(t, d)
	fmt.Fprint(conn, "PING\r\nPONG\r\n")
	lines := bufio.NewReader(conn)
	for _, want := range []string{"PONG\r\n", "ERROR \"PONG\" is not PING\r\n"} {
		if got, err := lines.ReadString('\n'); got != want || err != nil {
			t.Errorf("answer %q, %v, want %q", got, err, want)
		}
	}
}

func TestHungConnectsButNeverAnswers(t *testing.T) {
	d, server := newDaemon(t)
	conn := servePing(t, d)
	post(t, server.URL+"/do/hang")
	client := &http.Client{Timeout: 200 * time.Millisecond}
	if r, err := client.Get(server.URL + "/healthz"); err == nil {
		t.Errorf("a hung daemon answered %s", r.Status)
	}
	fmt.Fprint(conn, "PING\r\n")
	conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !os.IsTimeout(err) {
		t.Errorf("a hung daemon's PING port: %d bytes, %v, want silence", n, err)
	}
}

func TestReloadChangesTheLevelAlone(t *testing.T) {
	d, _ := newDaemon(t)
	var out bytes.Buffer
	d.log = newLog(&out, &out, "info")
	d.settings.live = filepath.Join(t.TempDir(), "live.conf")
	for _, step := range []struct{ text, level, says string }{
		{"listen 1\nlog-level debug\n", "debug", "log level debug, was info"},
		{"log-level error\n", "error", "log level error, was debug"},
		{"log-level loud\n", "error", `"loud" is not a log level: debug, info, error`},
		{"listen 1\n", "error", "has no line log-level"},
		{"colour red\n", "error", `live.conf:1: unknown word "colour"`},
	} {
		if err := os.WriteFile(d.settings.live, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		out.Reset()
		d.reload()
		if got := d.log.currentLevel(); got != step.level || !strings.Contains(out.String(), step.says) {
			t.Errorf("after %q: level %s, log %q, want %s and %q", step.text, got, out.String(), step.level, step.says)
		}
	}
	if d.settings.port != 0 {
		t.Errorf("reload changed the port to %d", d.settings.port)
	}
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := write("foo.conf", "# a comment\n\ngreeting hello there\n")
	live := write("live.conf", "listen 1234\nping 1235\nlog-level debug\n")
	s, err := parseArguments([]string{"--config=" + config, "--live=" + live, "--ping-port=1236"})
	if err == nil {
		err = s.readFiles()
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.greeting != "hello there" || s.port != 1234 || s.pingPort != 1236 || s.level != "debug" {
		t.Errorf("settings %+v", s)
	}
	for args, want := range map[string]string{
		"--workers=0":                        "at least 1",
		"stray":                              `"stray"`,
		"--fork":                             "not defined: -fork",
		"--live=" + write("a", "listen x\n"): `listen: "x" is not a port: 1 to 65535`,
		"--live=" + write("b", "listn 1\n"):  `b:1: unknown word "listn"`,
		"--config=" + dir + "/absent":        "no such file",
	} {
		s, err := parseArguments([]string{args})
		if err == nil {
			err = s.readFiles()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("food %s: %v, want %q", args, err, want)
		}
	}
}

func TestMigrateMayRunAgain(t *testing.T) {
	data := t.TempDir()
	schemaFile := filepath.Join(data, "schema")
	for _, step := range []struct{ before, after, fails string }{
		{"", "2\n", ""},
		{"2\n", "2\n", ""},
		{"1\n", "2\n", ""},
		{"3\n", "3\n", "install a newer food"},
		{"two\n", "two\n", "instead of a schema number"},
	} {
		if step.before != "" {
			if err := os.WriteFile(schemaFile, []byte(step.before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := migrate(data, io.Discard)
		if (err == nil) != (step.fails == "") || err != nil && !strings.Contains(err.Error(), step.fails) {
			t.Errorf("from %q: %v, want %q", step.before, err, step.fails)
		}
		if got, _ := os.ReadFile(schemaFile); string(got) != step.after {
			t.Errorf("from %q: schema %q, want %q", step.before, got, step.after)
		}
	}
	if err := migrate("", io.Discard); err == nil {
		t.Error("migrated no directory at all")
	}
}

// freePorts finds ports that nobody has; another process might take one before its use.
func freePorts(t *testing.T) (int, int) {
	t.Helper()
	ports := [2]int{}
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1]
}

// start runs food as a process and returns its address once it answers.
func start(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	port, pingPort := freePorts(t)
	cmd := exec.Command("/proc/self/exe", "--port="+strconv.Itoa(port), "--ping-port="+strconv.Itoa(pingPort))
	cmd.Env = append(os.Environ(), asDaemon+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if r, err := http.Get(url + "/healthz"); err == nil {
			r.Body.Close()
			return cmd, url
		}
		if time.Now().After(deadline) {
			t.Fatal("food does not answer within a minute")
		}
	}
}

// exitCode waits for the end, which must come within 5 s; -1 is an end by a signal.
func exitCode(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	stuck := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

func TestEndsAsTold(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(cmd *exec.Cmd, url string)
		code int
	}{
		"TERM":  {func(cmd *exec.Cmd, url string) { cmd.Process.Signal(syscall.SIGTERM) }, 0},
		"INT":   {func(cmd *exec.Cmd, url string) { cmd.Process.Signal(syscall.SIGINT) }, 0},
		"crash": {func(cmd *exec.Cmd, url string) { http.Post(url+"/do/crash", "", nil) }, 3},
		"exit":  {func(cmd *exec.Cmd, url string) { http.Post(url+"/do/exit?code=42", "", nil) }, 42},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, url := start(t)
			c.act(cmd, url)
			if got := exitCode(t, cmd); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
		})
	}
}

func TestDeafDaemonIgnoresTerm(t *testing.T) {
	t.Parallel()
	cmd, url := start(t)
	post(t, url+"/do/ignore-term")
	cmd.Process.Signal(syscall.SIGTERM)
	for range 3 {
		get(t, url+"/healthz")
	}
	cmd.Process.Kill()
	if got := exitCode(t, cmd); got != -1 {
		t.Errorf("exit code %d, want an end by KILL", got)
	}
}

func TestForkedChildLeavesTheSessionAndIgnoresTerm(t *testing.T) {
	t.Parallel()
	_, url := start(t)
	pid, err := strconv.Atoi(strings.TrimSpace(post(t, url+"/do/fork")))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGKILL)
	proc := "/proc/" + strconv.Itoa(pid)
	for deadline := time.Now().Add(time.Minute); !ignoresTerm(proc); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the child does not ignore TERM within a minute")
		}
	}
	if name, _ := os.ReadFile(proc + "/cmdline"); string(name) != childName+"\x00" {
		t.Errorf("argv %q, want %q", name, childName)
	}
	stat, _ := os.ReadFile(proc + "/stat")
	if fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])); fields[3] != strconv.Itoa(pid) {
		t.Errorf("session %s, want its own, %d", fields[3], pid)
	}
}

// ignoresTerm looks for TERM, bit 14, in the mask of ignored signals.
func ignoresTerm(proc string) bool {
	status, _ := os.ReadFile(proc + "/status")
	_, rest, _ := strings.Cut(string(status), "SigIgn:\t")
	line, _, _ := strings.Cut(rest, "\n")
	mask, _ := strconv.ParseUint(line, 16, 64)
	return mask&(1<<(syscall.SIGTERM-1)) != 0
}

func TestPortTakenIsSaidPlainly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	var stderr bytes.Buffer
	code := run([]string{"food", fmt.Sprintf("--port=%d", taken)}, io.Discard, &stderr)
	want := fmt.Sprintf("food: cannot listen on 127.0.0.1:%d: another process has the port; end it, or choose another with \"listen\" in the live file or --port\n", taken)
	if code != 1 || stderr.String() != want {
		t.Errorf("exit code %d, %q, want 1, %q", code, stderr.String(), want)
	}
}
