package e2e

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"recipe/runtime/control"
)

// Requests that are never sent whole.
var halves = []string{
	"",
	"POST /v1/serv",
	"GET /v1/events HTTP/1.1\r\nHost: a\r\nX: ",
	"POST /v1/services/sleeper/restart HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
}

// sendHalves has clients send one each, over and over until ctx ends, and adds them to all.
func sendHalves(ctx context.Context, all *sync.WaitGroup, clients int, socket string) {
	for i := range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				conn, err := net.Dial("unix", socket)
				if err != nil {
					continue
				}
				conn.Write([]byte(halves[i%len(halves)]))
				conn.SetReadDeadline(time.Now().Add(time.Second))
				conn.Read(make([]byte, 1)) // until it is closed
				conn.Close()
			}
		})
	}
}

// 200 clients send half-requests over and over. Honest ones are answered within a second, the supervisor's descriptors and
// memory are bounded meanwhile and afterwards what they were, and the daemon is not touched. It takes about four seconds.
func TestHalfSentRequestsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := h.run("--root", h.dir, h.write("sleeper.star", commanded))
	up := func(st control.Status) bool { return st.IsUp() }
	h.becomes("is up", "sleeper", "sleeper", up)
	h.must("restart", "sleeper") // so that what is opened once is open
	daemon := h.becomes("is up again", "sleeper", "sleeper", up).PID
	pid := s.cmd.Process.Pid
	const warm = 4 // descriptors of a forker and a launcher that may still be on their way
	fds, memory := descriptors(pid)+warm, pss(t, pid)
	socket := control.SocketPath(filepath.Join(h.dir, "run"), "sleeper")
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	sendHalves(ctx, &all, 200, socket)
	client := control.NewClient(socket)
	var worst time.Duration
	mostFDs, mostPSS, asked := 0, 0, 0
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); asked++ {
		began := time.Now()
		if _, err := client.Status(t.Context()); err != nil {
			t.Error(err)
		}
		worst = max(worst, time.Since(began))
		mostFDs, mostPSS = max(mostFDs, descriptors(pid)), max(mostPSS, pss(t, pid))
	}
	cancel()
	all.Wait()
	h.until("its descriptors are those from before", func() bool { return descriptors(pid) <= fds }, func() string { return fmt.Sprint(descriptors(pid), " of ", fds) })
	t.Logf("%d answers, the slowest in %s; descriptors %d, at most %d; PSS %d KiB, at most %d, then %d", asked, worst, fds, mostFDs, memory, mostPSS, pss(t, pid))
	if worst > time.Second {
		t.Errorf("an honest client waited %s", worst)
	}
	if mostFDs > fds+64+2 {
		t.Errorf("%d descriptors were open, %d before", mostFDs, fds)
	}
	if mostPSS > memory+24<<10 { // garbage is collected seldom in the first seconds
		t.Errorf("the PSS grew from %d KiB to %d", memory, mostPSS)
	}
	if st, _ := h.status("sleeper", "sleeper"); st.PID != daemon || st.Restarts > 1 {
		t.Errorf("the daemon was touched: %+v", st)
	}
	s.interrupt()
	h.empty()
}
