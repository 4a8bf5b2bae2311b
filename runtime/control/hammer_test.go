package control

import (
	"context"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// halves are requests that are never sent whole.
var halves = []string{
	"",
	"POST /v1/serv",
	"GET /v1/status HTTP/1.1\r\nHost: a\r\nX: ",
	"POST /v1/services/foo/start HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
}

// 200 clients send half a request over and over and keep what they have open, with the bounds that hold for users. An
// honest client is answered within a second each time, and neither descriptors nor memory grow. It takes three seconds.
func TestTwoHundredHalfSentRequests(t *testing.T) {
	if testing.Short() {
		t.Skip("takes three seconds")
	}
	path := serve(t, newFake(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for i := range 200 {
		all.Go(func() {
			for ctx.Err() == nil {
				conn, err := net.Dial("unix", path)
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
	c := NewClient(path)
	var worst time.Duration
	var most uint64
	asked := 0
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); asked++ {
		began := time.Now()
		if _, err := c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Start(t.Context(), "foo", ""); err != nil {
			t.Fatal(err)
		}
		worst = max(worst, time.Since(began))
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse+m.StackInuse)
	}
	// Of the process: 200 clients, 64 connections and one that is being accepted, our own, and what tests have open.
	open, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	t.Logf("%d honest requests, the slowest pair in %s; %d descriptors; %d KiB of heap and stacks at most", 2*asked, worst, len(open), most>>10)
	if worst > time.Second {
		t.Errorf("an honest client waited %s", worst)
	}
	if len(open) > 200+64+40 {
		t.Errorf("%d descriptors are open", len(open))
	}
	if most > 24<<20 {
		t.Errorf("%d MiB are in use", most>>20)
	}
}

// Who has many connections loses some before anybody else does.
func TestRoomIsMadeByWhoHasMost(t *testing.T) {
	t.Parallel()
	l := &Listener{}
	of := func(uid int, answering bool) *connection {
		c := &connection{uid: uid}
		c.answering.Store(answering)
		l.remember(c)
		return c
	}
	of(1, false)
	of(2, true)
	second := of(2, false)
	of(2, false)
	if got := l.victim(); got != second {
		t.Errorf("got %+v", got)
	}
	l.forget(second)
	first := l.open[0]
	if got := l.victim(); got != first { // one each: the oldest
		t.Errorf("got %+v", got)
	}
	for _, c := range l.open {
		c.answering.Store(true)
	}
	if got := l.victim(); got != nil {
		t.Errorf("got %+v, which is being answered", got)
	}
}
