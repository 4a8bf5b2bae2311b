package logs

import (
	"os"
	"testing"
	"time"
)

// TestAnswersTellsWhetherTheReaderIsStuck: it answers while it rests, and not while it is held up.
func TestAnswersTellsWhetherTheReaderIsStuck(t *testing.T) {
	c := collector(t)
	for range 3 {
		if !c.Answers(10 * time.Second) {
			t.Fatal("one that rests does not answer")
		}
	}
	before := openDescriptors(t)
	c.mu.Lock()
	s := &source{log: &Log{}, fd: -1}
	c.token++
	s.token = c.token
	c.sources[s.token] = s
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.fd = int(read.Fd())
	if err := c.control(1, s, 1); err != nil { // EPOLL_CTL_ADD, EPOLLIN
		t.Fatal(err)
	}
	write.Write([]byte("x")) // the goroutine wants c.mu now
	if c.Answers(100 * time.Millisecond) {
		t.Error("one that is stuck answers")
	}
	c.control(2, s, 0) // EPOLL_CTL_DEL
	delete(c.sources, s.token)
	c.mu.Unlock()
	read.Close()
	write.Close()
	if !c.Answers(10 * time.Second) {
		t.Error("one that goes on does not answer")
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors are open, before %d", after, before)
	}
}

func openDescriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
