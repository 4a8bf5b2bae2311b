package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Two supervisors are started at the same instant, a hundred times, of the same recipes in the same or the other order: one of them
// has all services, and the other ends and tells who has them. Half of the winners are killed, so that the next two find
// what is left. It takes about ten seconds.
func TestOfTwoSupervisorsOneWins(t *testing.T) {
	t.Parallel()
	rounds := 100
	if testing.Short() {
		rounds = 8
	}
	for lane := range 2 {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			for i := range rounds / 2 {
				if winner := h.twins(); i%2 == 0 {
					winner.kill()
				} else {
					winner.interrupt()
					h.empty()
				}
			}
		})
	}
}

// twins returns the one that won.
func (h *home) twins() *supervisor {
	t := h.t
	t.Helper()
	var files []string
	for _, name := range []string{"one", "two"} {
		files = append(files, h.write(name+".star", strings.NewReplacer("NAME", name, "DIR", h.dir).Replace(`
service(name = "NAME-a", command = ["/bin/sleep", "1000"], env = {"PLACE": "DIR"})
service(name = "NAME-b", command = ["/bin/sleep", "1000"], env = {"PLACE": "DIR"})
`)))
	}
	var both [2]*supervisor
	for i := range both {
		both[i] = h.run(files...)
		slices.Reverse(files)
	}
	winner, loser := both[0], both[1]
	select {
	case <-winner.ended:
		winner, loser = loser, winner
	case <-loser.ended:
	case <-time.After(deadline):
		t.Fatalf("two supervisors run:\n%s\n%s", winner.out.String(), loser.out.String())
	}
	if who, said := fmt.Sprintf("process %d", winner.cmd.Process.Pid), loser.out.String(); loser.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said, "already") || !strings.Contains(said, who) {
		t.Errorf("the loser's exit code is %d, and it does not name %s:\n%s", loser.cmd.ProcessState.ExitCode(), who, said)
	}
	h.until("all services run", func() bool {
		up := 0
		for _, recipe := range []string{"one", "two"} {
			for _, service := range []string{"one-a", "one-b", "two-a", "two-b"} {
				if st, ok := h.status(recipe, service); ok && st.IsUp() {
					up++
				}
			}
		}
		return up == 4
	}, func() string { return winner.out.String() + "\n" + loser.out.String() })
	if sleeps := named(mentioning(h.dir), "sleep"); len(sleeps) != 4 {
		t.Errorf("%d daemons run of 4 services", len(sleeps))
	}
	return winner
}
