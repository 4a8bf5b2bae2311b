package logs

import "sync"

// turn is how many bytes of a log are delivered before it is another's turn.
const turn = 1 << 20

// crew is the few goroutines that empty the queues of one kind, while there is something in them. However many services
// speak at once, a disk that hangs holds no more threads than these, and the memory that goroutines leave behind stays small.
type crew struct {
	most int

	mu      sync.Mutex
	working int
	waiting []job
}

type job struct {
	log   *Log
	queue *queue
}

// add has the queue emptied; it must not be waiting here already.
func (w *crew) add(j job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = append(w.waiting, j)
	if w.working < w.most {
		w.working++
		go w.work()
	}
}

func (w *crew) work() {
	for {
		w.mu.Lock()
		if len(w.waiting) == 0 {
			w.working--
			w.waiting = nil
			w.mu.Unlock()
			return
		}
		next := w.waiting[0]
		w.waiting[0] = job{}
		w.waiting = w.waiting[1:]
		w.mu.Unlock()
		if next.log.empty(next.queue) {
			w.mu.Lock()
			w.waiting = append(w.waiting, next)
			w.mu.Unlock()
		}
	}
}
