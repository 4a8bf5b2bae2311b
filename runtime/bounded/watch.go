package bounded

import (
	"os"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// look is how often the child looks at itself while it works. Memory is filled at some 4 GB/s at most: 20 MB in between.
const look = 5 * time.Millisecond

// watch ends the process when its work uses too much. A limit of the kernel's would do so too, but not say which.
type watch struct {
	limits  Limits
	parent  int
	working atomic.Bool
	started atomic.Int64 // nanoseconds of processor time when the work began
	wake    chan struct{}
	samples []metrics.Sample
}

func newWatch(limits Limits) *watch {
	w := &watch{limits: limits, parent: os.Getppid(), wake: make(chan struct{}, 1), samples: memorySamples()}
	go w.run()
	return w
}

func (w *watch) begin() {
	w.started.Store(int64(used()))
	w.working.Store(true)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watch) end() { w.working.Store(false) }

// run looks while there is work, and sleeps without a wake-up otherwise.
func (w *watch) run() {
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for range w.wake {
		ticks.Reset(look)
		for w.working.Load() {
			<-ticks.C
			w.look()
		}
		ticks.Stop()
	}
}

func (w *watch) look() {
	switch {
	case !w.working.Load():
	case held(w.samples) > uint64(w.limits.Memory):
		os.Exit(exitMemory)
	case used()-time.Duration(w.started.Load()) > w.limits.CPU:
		os.Exit(exitCPU)
	case os.Getppid() != w.parent: // it was killed: nobody waits for the answer
		os.Exit(exitBroken)
	}
}

// large reports whether the work left so much behind that it is worth a collection.
func (w *watch) large() bool { return held(memorySamples()) > uint64(w.limits.Memory/4) }

func memorySamples() []metrics.Sample {
	return []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
}

// held is the memory that the Go runtime has from the system now, in bytes.
func held(samples []metrics.Sample) uint64 {
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// used is the processor time of this process, over all its threads.
func used() time.Duration {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
