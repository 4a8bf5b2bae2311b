package driver

import (
	"sync"
	"testing"
)

// Messages are taken in the order in which they came, by one goroutine at a time, and none is lost to one that ends.
func TestMailboxKeepsOrderAndLosesNothing(t *testing.T) {
	t.Parallel()
	const senders, each = 8, 2000
	var b mailbox
	var working, all sync.WaitGroup
	last := map[uint64]uint64{} // of whoever takes: two of them at once would not survive it
	taken := 0
	work := func() {
		defer working.Done()
		for m, more := b.next(); more; m, more = b.next() {
			if m.round != last[m.incarnation]+1 {
				t.Errorf("sender %d: message %d comes after %d", m.incarnation, m.round, last[m.incarnation])
			}
			last[m.incarnation] = m.round
			taken++
		}
	}
	for sender := range uint64(senders) {
		all.Go(func() {
			for n := range uint64(each) {
				if start, ok := b.put(message{incarnation: sender, round: n + 1}); !ok {
					t.Error("refused")
				} else if start {
					working.Add(1)
					go work()
				}
			}
		})
	}
	all.Wait()
	working.Wait()
	if taken != senders*each {
		t.Errorf("%d of %d were taken", taken, senders*each)
	}
}
