package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// listening is an init's end of the protocol of sd_notify(3).
type listening struct {
	h      *home
	conn   *net.UnixConn
	status string // the last that was said
}

func (h *home) listening() *listening {
	h.t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(h.dir, "notify"), Net: "unixgram"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	return &listening{h: h, conn: conn}
}

// until reads messages until one holds the assignment, and returns all of them.
func (l *listening) until(assignment string) (all []string) {
	l.h.t.Helper()
	l.conn.SetReadDeadline(time.Now().Add(deadline))
	for {
		text := make([]byte, 8192)
		n, err := l.conn.Read(text)
		if err != nil {
			l.h.t.Fatalf("%s was never said: %v; what was: %q", assignment, err, all)
		}
		said := string(text[:n])
		all = append(all, said)
		for line := range strings.SplitSeq(said, "\n") {
			if status, ok := strings.CutPrefix(line, "STATUS="); ok {
				l.status = status
			}
		}
		if slices.Contains(strings.Split(said, "\n"), assignment) {
			return all
		}
	}
}

func (l *listening) untilStatus(status string) {
	l.h.t.Helper()
	if l.status != status {
		l.until("STATUS=" + status)
	}
}

// silent fails where something is said within that time.
func (l *listening) silent(within time.Duration, of string) {
	l.h.t.Helper()
	l.conn.SetReadDeadline(time.Now().Add(within))
	text := make([]byte, 8192)
	if n, err := l.conn.Read(text); err == nil && strings.Contains(string(text[:n]), of) {
		l.h.t.Errorf("it says %q", text[:n])
	}
}

// drop forgets what was said and not read.
func (l *listening) drop() {
	l.conn.SetReadDeadline(time.Now())
	for text := make([]byte, 8192); ; {
		if _, err := l.conn.Read(text); err != nil {
			return
		}
	}
}

// TestTheInitIsTold how the supervisor is, from its start over a successor to its end; its daemons are told nothing of that.
func TestTheInitIsTold(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	init := h.listening()
	path := h.write("told.star", fmt.Sprintf(`
service(name = "quick", command = ["/bin/sh", "-c", "env; exec sleep 1000"], probes = [exec(["/bin/sh", "-c", "! test -e %[1]s/ill"], every = "100ms", failures = 1000)])
service(name = "slow", command = ["/bin/sleep", "1000"], prepare = [run(["/bin/sleep", "1"])])
service(name = "sick", command = ["/bin/false"])
`, h.dir))
	cmd := h.command(h.install(program), "run", path)
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+filepath.Join(h.dir, "notify"), "WATCHDOG_USEC=1000000")
	began := time.Now()
	s := h.start(cmd)
	init.until("READY=1")
	if took := time.Since(began); took < time.Second {
		t.Errorf("it was ready after %s, and the last start takes a second", took)
	}
	if st, _ := h.status("told", "slow"); !st.IsUp() {
		t.Errorf("it said that it was ready, and slow is %s", st.State)
	}
	h.becomesHealthy("told", "quick")
	init.untilStatus("2 of 3 up; not sick waiting")
	if log := read(t, filepath.Join(h.dir, "log", "quick.log")); strings.Contains(log, "NOTIFY_SOCKET") || strings.Contains(log, "WATCHDOG") {
		t.Errorf("a daemon has\n%s", log)
	}
	h.write("ill", "")
	init.untilStatus("1 of 3 up; not quick unhealthy, sick waiting")

	init.drop()
	for range 4 {
		init.until("WATCHDOG=1")
	}
	syscall.Kill(s.cmd.Process.Pid, syscall.SIGSTOP)
	init.drop()
	init.silent(2*time.Second, "WATCHDOG=1")
	syscall.Kill(s.cmd.Process.Pid, syscall.SIGCONT)
	init.until("WATCHDOG=1")

	before, _ := h.status("told", "quick")
	h.mustUpgrade()
	said := init.until("READY=1")
	if last := said[len(said)-2:]; !strings.HasPrefix(last[0], "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("over the upgrade it said %q", said)
	}
	init.until("WATCHDOG=1")
	if now, _ := h.status("told", "quick"); now.PID != before.PID {
		t.Errorf("process %d became %d", before.PID, now.PID)
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	init.until("STOPPING=1")
	<-s.ended
	h.empty()
}

// TestTheInitIsAskedForTime while a service uses its grace.
func TestTheInitIsAskedForTime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("this takes seven seconds")
	}
	h := newHome(t)
	init := h.listening()
	path := h.write("late.star", `service(name = "late", command = ["/bin/sh", "-c", "trap 'sleep 6; exit' TERM; while :; do sleep 0.1; done"], stop = stop(grace = "20s"))`)
	cmd := h.command(program, "run", path)
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+filepath.Join(h.dir, "notify"))
	s := h.start(cmd)
	init.until("READY=1")
	h.becomes("runs", "late", "late", func(s control.Status) bool { return s.State == control.Running })
	time.Sleep(500 * time.Millisecond) // until the shell has its trap, of which nothing tells
	s.cmd.Process.Signal(syscall.SIGTERM)
	said := init.until("EXTEND_TIMEOUT_USEC=15000000")
	if !slices.Contains(said, "STOPPING=1") {
		t.Errorf("it said %q", said)
	}
	<-s.ended
	if _, err := os.Stat(filepath.Join(h.dir, "run", "late.sock")); err == nil {
		t.Error("its socket is left")
	}
}

// TestPID1EndsByWhatContainersAreEndedBy: all is stopped, and the exit code is 0.
func TestPID1EndsByWhatContainersAreEndedBy(t *testing.T) {
	t.Parallel()
	rootOnly(t)
	needs(t, "unshare")
	for name, number := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "PWR": syscall.SIGPWR, "RTMIN+3": 37} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			path := h.write("first.star", `service(name = "first", command = ["/bin/sleep", "1000"])`)
			s := h.start(h.command("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", program, "run", path))
			h.becomes("runs", "first", "first", func(st control.Status) bool { return st.IsUp() })
			syscall.Kill(onlyChild(t, s.cmd.Process.Pid), number)
			select {
			case <-s.ended:
			case <-time.After(deadline):
				t.Fatal("it goes on")
			}
			if code := s.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("it ended with %d", code)
			}
			h.empty()
		})
	}
}
