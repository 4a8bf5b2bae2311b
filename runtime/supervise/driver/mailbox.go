package driver

import (
	"sync"
	"time"

	"recipe/runtime/supervise"
)

// mailbox holds, in order, what a service is to be told. It is emptied by a goroutine that lives only as long as there is
// something: a service at rest costs neither a stack nor a channel, which are 5 KiB of the 20 that it has.
type mailbox struct {
	mu    sync.Mutex
	queue []message
	busy  bool // the goroutine lives
	shut  bool // and is never to live again
}

// put reports whether a goroutine has to be started, and whether the message is taken at all.
func (b *mailbox) put(m message) (start, taken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut {
		return false, false
	}
	b.queue = append(b.queue, m)
	start = !b.busy
	b.busy = true
	return start, true
}

// next gives the goroutine its next message; where there is none, the goroutine must end.
func (b *mailbox) next() (m message, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		b.queue, b.busy = nil, false
		return m, false
	}
	m = b.queue[0]
	b.queue[0] = message{}
	b.queue = b.queue[1:]
	return m, true
}

// close returns what nobody will be told any more.
func (b *mailbox) close() (rest []message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shut = true
	rest, b.queue = b.queue, nil
	return rest
}

// send reaches a service that is gone as little as one that is there is missed. It never waits.
func (sv *service) send(m message) {
	start, taken := sv.mailbox.put(m)
	if start {
		select {
		case sv.sup.idle <- sv:
		default:
			go sv.sup.attend(sv)
		}
	}
	if !taken && m.slot != nil {
		m.slot.release()
	}
}

// mostIdle is how many goroutines wait for a service to attend to: their stacks have grown to what a start needs, which is a
// tenth of what a supervisor does for one.
const mostIdle = 2

// attend is the life of such a goroutine.
func (s *Supervisor) attend(sv *service) {
	for {
		sv.work()
		if s.idlers.Add(1) > mostIdle {
			s.idlers.Add(-1)
			return
		}
		select {
		case sv = <-s.idle:
			s.idlers.Add(-1)
		case <-s.ended:
			return
		}
	}
}

// work is the service's goroutine, until its mailbox is empty.
func (sv *service) work() {
	for {
		m, more := sv.mailbox.next()
		if !more {
			return
		}
		sv.take(m)
		if sv.given {
			return
		}
		sv.remember()
		if sv.leaving.Load() && sv.machine.State == supervise.Stopped {
			sv.finish()
			return
		}
		sv.setTimer()
	}
}

// finish is the end of the service.
func (sv *service) finish() {
	if sv.timer != nil {
		sv.timer.Stop()
	}
	sv.close()
	for _, m := range sv.mailbox.close() {
		if m.slot != nil {
			m.slot.release()
		}
	}
	close(sv.gone)
	select {
	case sv.sup.departed <- struct{}{}:
	default:
	}
	sv.sup.running.Done()
}

// setTimer has a Timer event come when the machine wants one. It may come too early: the machine looks at the clock.
func (sv *service) setTimer() {
	due := sv.machine.Due
	switch {
	case due.IsZero() || sv.held:
		if sv.timer != nil {
			sv.timer.Stop()
		}
	case sv.task != nil:
		sv.task.alarm.at(due)
	case sv.timer == nil:
		sv.timer = time.AfterFunc(time.Until(due), sv.ring)
	default:
		sv.timer.Reset(time.Until(due))
	}
}

func (sv *service) ring() { sv.send(message{event: supervise.Timer{}}) }
