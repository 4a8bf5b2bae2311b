package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// A hung food is found by its probes and replaced.
func TestHungDaemonIsReplaced(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	args, web := ports(t)
	h.run(append(args, "--dev", h.tour())...)
	first := h.becomesHealthy("foo", "foo")
	tell(web + "/do/hang")
	h.becomes("is replaced", "foo", "foo", func(s control.Status) bool { return s.PID != first.PID && s.State == control.Healthy })
	if why := h.must("why", "foo"); !strings.Contains(why, "hung") {
		t.Errorf("recipe why does not tell of a hang:\n%s", why)
	}
}

// A stopped redis-server still has its connections accepted by the kernel: only a missing answer gives it away.
func TestStoppedRedisIsReplaced(t *testing.T) {
	t.Parallel()
	needs(t, "redis-server")
	h := newHome(t)
	port := freePort(t)
	path := h.write("redis.star", read(t, filepath.Join(source, "recipes/redis/redis.star")))
	h.run("--dev", "--set", "port="+port, path)
	first := h.becomesHealthy("redis", "redis")
	if got := redis(t, port, "SET key value"); got != "+OK" {
		t.Errorf("redis answers %q", got)
	}
	if err := syscall.Kill(first.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatalf("the kernel refuses a connection to a stopped server, so this test shows nothing: %v", err)
	}
	conn.Close()
	h.becomes("is replaced", "redis", "redis", func(s control.Status) bool { return s.PID != first.PID && s.State == control.Healthy })
	if got := redis(t, port, "PING"); got != "+PONG" {
		t.Errorf("the new redis answers %q", got)
	}
}

func redis(t *testing.T, port, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(deadline))
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, 100)
	n, err := conn.Read(reply)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(reply[:n]))
}

// needs skips where a tool of the host is missing, except where the host was made for these tests.
func needs(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("RECIPE_TEST_HOST") == "1" {
		t.Fatalf("%s is not installed, and RECIPE_TEST_HOST=1 says that it is", tool)
	}
	t.Skipf("%s is not installed", tool)
}

// TestFunctionFindsAHang has a function of the recipe's ask a redis-server that is stopped.
func TestFunctionFindsAHang(t *testing.T) {
	t.Parallel()
	needs(t, "redis-server")
	h := newHome(t)
	path := h.write("redis.star", `
port = flag("port", type = "port", default = 6379, help = "TCP port to serve on")

def greets(conn):
    conn.send("PING\r\n")
    return conn.line() == "+PONG"

def check(probe):
    return greets(probe.connect(port))

service(
    name = "redis",
    command = ["/usr/bin/redis-server", "--port", fmt("{}", port), "--save", ""],
    probes = [script(check, every = "300ms", timeout = "250ms", failures = 2)],
)
`)
	h.run("--set", "port="+freePort(t), path)
	first := h.becomesHealthy("redis", "redis")
	if err := syscall.Kill(first.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	h.becomes("is replaced", "redis", "redis", func(s control.Status) bool { return s.PID != first.PID && s.State == control.Healthy })
	if why := h.must("why", "redis"); !strings.Contains(why, "hung: script check: no answer within 250ms") {
		t.Errorf("recipe why does not tell what was asked:\n%s", why)
	}
}
