package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"recipe/runtime/control"
)

// 200 clients send half-requests while 50 services die over and over, and an honest one asks and commands: each is answered
// within two seconds, and what the supervisor uses is bounded meanwhile and afterwards as before. It takes about 8 s.
func TestRestartsGoOnBesideHalfSentRequests(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	services, clients, span := 50, 200, 5*time.Second
	if testing.Short() {
		services, clients, span = 10, 40, time.Second
	}
	var text strings.Builder
	for i := range services {
		fmt.Fprintf(&text, "service(name = \"dies%d\", command = [\"/usr/bin/flock\", \"-n\", \"-E\", \"99\", %q, \"/bin/sleep\", \"0.1\"], restart = restart(delay = \"100ms\", cap = \"400ms\"))\n",
			i, filepath.Join(h.dir, fmt.Sprint("lock", i)))
	}
	text.WriteString("service(name = \"sleeper\", command = [\"/bin/sleep\", \"1000\"])\n")
	s := h.run(h.write("hammered.star", text.String()))
	for i := range services {
		h.becomes("died", "hammered", fmt.Sprint("dies", i), func(st control.Status) bool { return st.Restarts > 0 })
	}
	h.must("restart", "sleeper")
	before := s.figures()
	socket := control.SocketPath(filepath.Join(h.dir, "run"), "hammered")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	sendHalves(ctx, &all, clients, socket)
	client := control.NewClient(socket)
	restarts := func() (n int) {
		for _, st := range h.all("hammered") {
			n += st.Restarts
		}
		return n
	}
	from := restarts()
	var worst time.Duration
	most, asked := figures{}, 0
	for end := time.Now().Add(span); time.Now().Before(end); asked++ {
		began := time.Now()
		var err error
		if asked%5 == 0 {
			_, err = client.Restart(t.Context(), "sleeper", "")
		} else {
			_, err = client.Status(t.Context())
		}
		if err != nil {
			t.Error(err)
		}
		worst = max(worst, time.Since(began))
		now := s.figures()
		most.descriptors, most.memory = max(most.descriptors, now.descriptors), max(most.memory, now.memory)
	}
	deaths := restarts() - from
	cancel()
	all.Wait()
	after := s.flat(before)
	t.Logf("%d answers, the slowest in %s, beside %d deaths; before %+v, at most %+v, then %+v", asked, worst, deaths, before, most, after)
	if worst > 2*time.Second {
		t.Errorf("an honest client waited %s", worst)
	}
	if deaths < services {
		t.Errorf("%d deaths only of %d services", deaths, services)
	}
	if most.memory > before.memory+24<<10 || most.descriptors > before.descriptors+64+4*services {
		t.Errorf("at most %+v, before %+v", most, before)
	}
	if strings.Contains(read(t, filepath.Join(h.dir, "state/hammered.journal")), "exit 99") {
		t.Error("two of a service ran")
	}
	s.interrupt()
	h.empty()
}
