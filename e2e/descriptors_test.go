package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/control"
)

// The supervisor has no descriptor left: what runs goes on, what dies is tried on and is back once there are some again, and
// operators are answered then. It takes about 8 s.
func TestWithoutDescriptorsNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	const services = 20
	var text strings.Builder
	for i := range services {
		fmt.Fprintf(&text, "service(name = \"sleep%d\", command = [\"/bin/sleep\", \"1000\"], prepare = [%s], restart = restart(delay = \"50ms\", cap = \"500ms\"), env = {\"IN\": %q})\n",
			i, []string{"", `directory("/made")`}[i%2], h.dir) // by a forker, and by a launcher
	}
	s := h.run("--root", h.dir, h.write("scarce.star", text.String()))
	pids := map[string]int{}
	for i := range services {
		name := fmt.Sprint("sleep", i)
		pids[name] = h.becomes("runs", "scarce", name, running).PID
	}
	h.must("restart", "sleep0", "sleep1") // so that what is opened once is open
	before := s.figures()
	client := control.NewClient(control.SocketPath(filepath.Join(h.dir, "run"), "scarce"))
	var had unix.Rlimit
	must(t, unix.Prlimit(s.process(), unix.RLIMIT_NOFILE, nil, &had))
	for _, limit := range []int{8, 16, before.descriptors} {
		for name := range pids {
			pids[name] = h.becomes("runs", "scarce", name, running).PID
		}
		must(t, unix.Prlimit(s.process(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(limit), Max: had.Max}, nil))
		for i := range services / 2 {
			syscall.Kill(pids[fmt.Sprint("sleep", i)], syscall.SIGKILL)
		}
		asking, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := client.Status(asking) // which may or may not be answered, and is not to break anything
		<-asking.Done()
		cancel()
		for i := services / 2; i < services; i++ {
			if pid := pids[fmt.Sprint("sleep", i)]; name(pid) != "/bin/sleep" {
				t.Errorf("process %d was not touched by anybody, and is gone", pid)
			}
		}
		must(t, unix.Prlimit(s.process(), unix.RLIMIT_NOFILE, &had, nil))
		began := time.Now()
		for i := range services {
			h.becomes("is there", "scarce", fmt.Sprint("sleep", i), func(st control.Status) bool {
				return running(st) && (i >= services/2) == (st.PID == pids[st.Service])
			})
		}
		took := time.Since(began)
		t.Logf("with a limit of %d: %v; all were back %s after it was raised", limit, err, took)
		if took > 3*time.Second {
			t.Errorf("all were back only %s after there were descriptors again, the cap is 500ms", took)
		}
	}
	if why := h.must("why", "sleep0"); !strings.Contains(why, "too many open files") {
		t.Errorf("why does not tell of it:\n%s", why)
	}
	s.flat(before)
	if all := named(s.daemons(), "sleep"); len(all) != services {
		t.Errorf("%d daemons run, want %d", len(all), services)
	}
	s.interrupt()
	h.empty()
}
