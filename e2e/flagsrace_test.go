package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
)

const flagged = `
size = flag("size", type = "int", default = 1000, min = 1000, max = 9999999, help = "how long it sleeps")
service(name = "sized", command = ["/bin/sleep", size], restart = restart(delay = "50ms", cap = "500ms"))
service(name = "other", command = ["/bin/sleep", "1000"])
`

// Whoever changes a flags file by swapping the link to it, by renaming another one over it, by cutting it short and writing it anew, or by removing
// it in between, hundreds of times: each time the last content holds, once, what is not sound is refused, and a daemon is started anew only
// for a value that is another. It takes about 12 s; RECIPE_TEST_LONG=1 has ten times the rounds.
func TestTheLastFlagsHoldHoweverTheyWereWritten(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	rounds := 200
	switch {
	case testing.Short():
		rounds = 20
	case os.Getenv("RECIPE_TEST_LONG") == "1":
		rounds *= 10
	}
	path := filepath.Join(h.dir, "etc/flagged/flags")
	h.write("etc/flagged/flags", "size=1000\n")
	s := h.run("--root", h.dir, h.write("flagged.star", flagged))
	sized, other := h.becomes("runs", "flagged", "sized", running), h.becomes("runs", "flagged", "other", running)
	before := s.figures()
	ways := []func(round int, text string){
		func(round int, text string) { // as ConfigMaps do
			target := h.write(fmt.Sprint("etc/flagged/data", round, "/flags"), text)
			must(t, os.Symlink(target, path+".link"))
			must(t, os.Rename(path+".link", path))
		},
		func(_ int, text string) { // as most editors do
			must(t, os.WriteFile(path+".new", []byte(text), 0o644))
			must(t, os.Rename(path+".new", path))
		},
		func(_ int, text string) { // as the shell does
			f, err := os.Create(path)
			must(t, err)
			for _, half := range []string{text[:len(text)/2], text[len(text)/2:]} {
				f.WriteString(half)
				if rand.IntN(4) == 0 {
					time.Sleep(rand.N(250 * time.Millisecond)) // longer than a change is left alone
				}
			}
			f.Close()
		},
		func(_ int, text string) {
			must(t, os.Remove(path))
			must(t, os.WriteFile(path, []byte(text), 0o644))
		},
	}
	last, changes := "1000", 0
	for round := range rounds {
		size := last
		if rand.IntN(2) == 0 {
			size = fmt.Sprint(1000 + round)
		}
		for range rand.IntN(3) { // what is overtaken
			ways[rand.IntN(len(ways))](rounds+round*10+rand.IntN(10)+rand.IntN(1<<30), []string{"size=1\n", "size=many\n", "sise=1000\n", fmt.Sprintf("size=%s\n", last)}[rand.IntN(4)])
		}
		ways[round%len(ways)](round, "size="+size+"\n")
		if round%10 > 0 && round < rounds-1 {
			continue
		}
		// Now and then it is waited for; else the next one may overtake it.
		sized = h.becomes("has the last size", "flagged", "sized", func(st control.Status) bool {
			line := arguments(st.PID)
			return running(st) && len(line) == 2 && line[1] == size
		})
		last = size
		changes++
	}
	time.Sleep(time.Second) // in which a restart too many would come
	now, _ := h.status("flagged", "sized")
	if now.PID != sized.PID {
		t.Errorf("process %d runs, want %d: nothing was changed any more", now.PID, sized.PID)
	}
	why := h.must("why", "sized")
	for line := range strings.Lines(why) {
		if _, what, ok := strings.Cut(line, "restart: flag size: "); ok {
			if from, to, _ := strings.Cut(strings.TrimSpace(what), " -> "); from == to {
				t.Errorf("it was restarted for no change: %s", line)
			}
		}
	}
	if now, _ := h.status("flagged", "other"); now.PID != other.PID || now.Restarts > 0 {
		t.Errorf("the other service was touched: %+v", now)
	}
	after := s.flat(before)
	t.Logf("%d rounds, %d restarts, %d refusals; then %+v, before %+v", rounds, now.Restarts, strings.Count(s.out.String(), "flag \"s"), after, before)
	s.interrupt()
	h.empty()
}
