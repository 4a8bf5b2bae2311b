package driver

import (
	"sync"
	"testing"
	"time"
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

// An order that hangs on the disk puts an upgrade off, and does not keep the supervisor from all else; nor does the wait for
// it keep other orders out.
func TestAnOrderThatHangsPutsAnUpgradeOff(t *testing.T) {
	s := &Supervisor{}
	s.gate.RLock()
	if s.closeGate(20 * time.Millisecond) {
		t.Fatal("the gate was closed while an order was taken")
	}
	if !s.gate.TryRLock() {
		t.Fatal("no other order is taken")
	}
	s.gate.RUnlock()
	s.gate.RUnlock()
	if !s.closeGate(0) {
		t.Error("the gate is not closed once all is written")
	}
}
