package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

// store is an init that keeps descriptors for the next supervisor.
type store struct {
	h    *home
	conn *net.UnixConn

	mu   sync.Mutex
	kept map[string]*os.File
	most int
}

func (h *home) store() *store {
	h.t.Helper()
	s := &store{h: h, conn: h.listening().conn, kept: map[string]*os.File{}}
	go s.listen()
	return s
}

func (s *store) listen() {
	text, rights := make([]byte, 8192), make([]byte, 1024)
	for {
		n, rn, _, _, err := s.conn.ReadMsgUnix(text, rights)
		if err != nil {
			return
		}
		lines := strings.Split(string(text[:n]), "\n")
		name := ""
		for _, line := range lines {
			name = strings.TrimPrefix(line, "FDNAME=")
		}
		s.mu.Lock()
		if old := s.kept[name]; old != nil && (slices.Contains(lines, "FDSTOREREMOVE=1") || slices.Contains(lines, "FDSTORE=1")) {
			old.Close()
			delete(s.kept, name)
		}
		if slices.Contains(lines, "FDSTORE=1") {
			messages, _ := syscall.ParseSocketControlMessage(rights[:rn])
			for _, m := range messages {
				if fds, err := syscall.ParseUnixRights(&m); err == nil {
					s.kept[name] = os.NewFile(uintptr(fds[0]), name)
				}
			}
		}
		s.most = max(s.most, len(s.kept))
		s.mu.Unlock()
	}
}

// run starts a supervisor with what is kept, as systemd does.
func (s *store) run(args ...string) *supervisor {
	s.h.t.Helper()
	s.mu.Lock()
	var names []string
	var files []*os.File
	for name, file := range s.kept {
		names, files = append(names, name), append(files, file)
	}
	s.mu.Unlock()
	cmd := s.h.command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$@"`, "sh", program, "run"}, args...)...)
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+filepath.Join(s.h.dir, "notify"), "FDSTORE=100")
	if len(files) > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("LISTEN_FDS=%d", len(files)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
		cmd.ExtraFiles = files
	}
	return s.h.start(cmd)
}

// TestDaemonsOutliveTheSupervisor that is killed, where its init keeps descriptors: again and again the next one adopts them with
// their health, sockets, log and flags; one that was changed, stopped or has died meanwhile is what it ought to be; never two.
func TestDaemonsOutliveTheSupervisor(t *testing.T) {
	t.Parallel()
	needs(t, "systemd-notify")
	h := newHome(t)
	s := h.store()
	port := freePort(t)
	recipe := func(sleep, probes string) string {
		return fmt.Sprintf(`
level = flag("level", type = "string", default = "one", help = "a level", apply = signal("HUP"))
live = template(%[1]q, "{}\n", level)
service(name = "quick", command = ["/bin/sh", "-c", "trap 'echo hup' HUP; echo begun; while :; do date +%%s.%%N; sleep 0.05; done"], prepare = [live],
        probes = [%[5]s])
service(name = "tells", command = ["/bin/sh", "-c", "systemd-notify --ready --status=well; while systemd-notify WATCHDOG=1; do sleep 0.1; done"],
        probes = [notify(), notify(role = "liveness", every = "5s")])
service(name = "ears", command = [%[2]q, "-c", "sleep 1000"], listen = [socket("ears", host = "127.0.0.1", port = %[3]s)])
service(name = "plain", command = ["/bin/sleep", %[4]q])
`, filepath.Join(h.dir, "live"), "/bin/sh", port, sleep, probes)
	}
	path := h.write("kept.star", recipe("1000", `exec(["/bin/sh", "-c", "test -e /"], every = "200ms")`))
	all := []string{"quick", "tells", "ears", "plain"}
	up := func() map[string]int {
		t.Helper()
		pids := map[string]int{}
		for _, name := range all {
			pids[name] = h.becomes("is up", "kept", name, func(s control.Status) bool { return s.IsUp() }).PID
		}
		return pids
	}
	v := s.run(path)
	before := up()
	if st, _ := h.status("kept", "plain"); !strings.HasPrefix(st.Containment, "cgroup ") {
		t.Skip("this needs a cgroup2 that can be written")
	}
	const kills = 20
	for n := range kills {
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond) // any instant
		v.kill()
		v = s.run(path)
		if n%2 == 0 { // one that is killed while it adopts
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			v.kill()
			v = s.run(path)
		}
		now := up()
		for _, name := range all {
			if now[name] != before[name] {
				t.Fatalf("after kill %d %s is process %d, before %d:\n%s", n+1, name, now[name], before[name], h.must("why", name))
			}
		}
	}
	if st, _ := h.status("kept", "tells"); st.Says != "well" || st.Restarts != 0 {
		t.Errorf("what was known is lost: %+v", st)
	}
	if why := h.must("why", "plain"); !strings.Contains(why, fmt.Sprintf("an earlier supervisor was killed: process %d goes on", before["plain"])) {
		t.Errorf("why tells\n%s", why)
	}
	log := read(t, filepath.Join(h.dir, "log", "quick.log"))
	if n := strings.Count(log, "begun\n"); n != 1 {
		t.Errorf("the log has %d beginnings", n)
	}
	size := len(log)
	h.until("the log goes on", func() bool { return len(read(t, filepath.Join(h.dir, "log", "quick.log"))) > size }, func() string { return "it does not" })
	if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	if s.most > 3*len(all)+1 {
		t.Errorf("%d descriptors are kept", s.most)
	}

	// How one ends that is nobody's child is told by new kernels, and it is started anew on any.
	syscall.Kill(before["plain"], syscall.SIGKILL)
	again := h.becomes("is replaced", "kept", "plain", func(s control.Status) bool { return s.IsUp() && s.PID != before["plain"] }).PID
	if why := h.must("why", "plain"); !strings.Contains(why, "the daemon ended: killed by SIGKILL") && !strings.Contains(why, "the daemon ended: in a way that nobody saw") {
		t.Errorf("why tells\n%s", why)
	}
	// One dies, one is stopped, one is started with something else, one loses its probe, and a flag changes, while no supervisor runs.
	h.must("stop", "ears")
	v.kill()
	syscall.Kill(before["tells"], syscall.SIGKILL)
	h.write("kept.star", recipe("1001", ""))
	v = s.run("--set", "level=two", path)
	h.becomes("is started with something else", "kept", "plain", func(s control.Status) bool { return s.IsUp() && s.PID != again })
	h.becomes("is replaced", "kept", "tells", func(s control.Status) bool { return s.IsUp() && s.PID != before["tells"] })
	if st, _ := h.status("kept", "ears"); st.State != control.Stopped {
		t.Errorf("what an operator stopped is %s", st.State)
	}
	if st, _ := h.status("kept", "quick"); st.PID != before["quick"] {
		t.Errorf("what nobody touched is process %d, before %d", st.PID, before["quick"])
	}
	h.until("it is told of the flag", func() bool { return strings.Contains(read(t, filepath.Join(h.dir, "log", "quick.log")), "hup\n") }, func() string { return h.must("why", "quick") })
	if live := read(t, filepath.Join(h.dir, "live")); live != "two\n" {
		t.Errorf("its template holds %q", live)
	}
	h.must("stop", "quick")
	if left := arguments(before["quick"]); left != nil { // nor of a zombie, which is for the machine's init to reap
		t.Errorf("of what was stopped there is left %q", left)
	}
	v.cmd.Process.Signal(syscall.SIGTERM)
	<-v.ended
	h.empty()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) > 0 {
		t.Errorf("of a supervisor that ended %d descriptors are kept", len(s.kept))
	}
}
