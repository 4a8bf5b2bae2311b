package e2e

import (
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
)

const sleeper = `
data = directory("/data")
service(
    name = "sleeper",
    command = ["/bin/sleep", "infinity"],
    env = {"DATA": data},
    prepare = [data, template("/data/live", "alive\n"), run(["/bin/sleep", "0.005"])],
    restart = restart(delay = "0s"),
)
`

// Killed a thousand times in a row, at any instant, in the middle of prepare too, the daemon comes back every time.
func TestNeverGivesUp(t *testing.T) {
	t.Parallel()
	eachUser(t, neverGivesUp)
}

func neverGivesUp(t *testing.T, h *home) {
	kills := 1000
	if h.uid >= 0 {
		kills = 200 // the second user, who shows the other containment
	}
	if testing.Short() {
		kills = 50
	}
	s := h.run("--root", h.dir, h.write("sleeper.star", sleeper))
	last, whilePrepared := 0, 0
	for range kills {
		leader := 0
		h.until("another incarnation", func() bool {
			st, _ := h.status("sleeper", "sleeper")
			leader = st.PID // of the launcher, then of the daemon
			return leader != 0 && leader != last
		}, s.out.String)
		time.Sleep(rand.N(15 * time.Millisecond)) // any instant of a start that takes about ten
		if !strings.HasSuffix(name(leader), "sleep") {
			whilePrepared++
		}
		syscall.Kill(leader, syscall.SIGKILL)
		last = leader
	}
	st := h.becomes("is up", "sleeper", "sleeper", func(st control.Status) bool { return st.IsUp() && st.PID != last })
	if st.Restarts < kills {
		t.Errorf("%d restarts after %d kills", st.Restarts, kills)
	}
	if whilePrepared == 0 || whilePrepared == kills {
		t.Errorf("%d of %d kills hit a start, want some but not all: the test does not show what it should", whilePrepared, kills)
	}
	s.interrupt()
	h.empty()
}
