package e2e

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// The supervisor is killed again and again while the daemon is under load: its successor has one copy of the daemon,
// not two, nor none.
func TestNeverTwoAcrossAKillOfTheSupervisor(t *testing.T) {
	t.Parallel()
	eachUser(t, neverTwoAcrossAKillOfTheSupervisor)
}

func neverTwoAcrossAKillOfTheSupervisor(t *testing.T, h *home) {
	args, web := ports(t)
	args = append(args, "--dev", h.tour())
	load(t, web)
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	s := h.run(args...)
	before := h.becomesHealthy("foo", "foo").PID
	for range rounds {
		s.kill()
		s = h.run(args...)
		// Some successors are killed as well, at any moment of their own start.
		if rand.IntN(2) == 0 {
			time.Sleep(rand.N(200 * time.Millisecond))
			s.kill()
			s = h.run(args...)
		}
		most := 0
		h.until("one healthy food", func() bool {
			most = max(most, len(named(mentioning(h.dir), "food")))
			st, ok := h.status("foo", "foo")
			return ok && st.IsUp() && st.PID != before
		}, func() string { return s.out.String() })
		if foods := named(mentioning(h.dir), "food"); most > 1 || len(foods) != 1 {
			t.Fatalf("%d copies of food run, %d at most were seen, want 1", len(foods), most)
		}
		before = named(mentioning(h.dir), "food")[0]
	}
	s.interrupt()
	h.empty()
}

// load asks the daemon without a pause until the test ends.
func load(t *testing.T, web string) {
	stop := make(chan struct{})
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if ask(web+"/healthz") == "" {
						time.Sleep(time.Millisecond) // nobody serves just now
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		close(stop)
		askers.Wait()
	})
}
