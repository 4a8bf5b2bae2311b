package driver

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"recipe/runtime/process"
)

// A burst of starts leaves garbage that is worth a collection, made when no start has come for a while.
const (
	burst     = 32
	calmAfter = 2 * time.Second
)

// calm gives memory back after bursts of starts: the start of 1,000 services leaves 15 MiB of 50 to nobody, and Go keeps
// what an idle process does not use for minutes. A service that dies again and again makes a burst in a quarter of an hour
// at the soonest, once its delay is 30 s, so that the 20 ms of a collection among 1,000 services do not count.
type calm struct {
	mu      sync.Mutex
	starts  int // since the last time
	timer   *time.Timer
	hurried *time.Timer
	percent int // of garbage, that was collected at before the hurry; 0 where there is none
}

// newCalm takes the first start for a burst, since much was done before it.
func newCalm() *calm { return &calm{starts: burst - 1} }

// hurry has garbage collected seldom until the first calm, or for hurryMost: much is made at the beginning that stays.
func (c *calm) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.percent = debug.SetGCPercent(seldom)
	c.timer = time.AfterFunc(calmAfter, c.collect)
	c.hurried = time.AfterFunc(hurryMost, c.collect)
}

// hurryMost ends the hurry where services that die over and over let no calm come.
const hurryMost = 10 * time.Second

// seldom is in percent, as GOGC: at 1,000 services one collection of 20 ms instead of four.
const seldom = 400

func (c *calm) started() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.starts++
	switch {
	case c.starts < burst:
	case c.timer == nil:
		c.timer = time.AfterFunc(calmAfter, c.collect)
	default:
		c.timer.Reset(calmAfter)
	}
}

// collect runs twice, since a stack that grew in the burst is halved by each, and gives back what of the program was needed.
func (c *calm) collect() {
	c.mu.Lock()
	c.starts = 0
	if c.percent != 0 {
		debug.SetGCPercent(c.percent)
		c.percent = 0
	}
	c.mu.Unlock()
	runtime.GC()
	debug.FreeOSMemory()
	process.UnmapProgram()
}

// end keeps what has ended from being collected for.
func (c *calm) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, timer := range []*time.Timer{c.timer, c.hurried} {
		if timer != nil {
			timer.Stop()
		}
	}
}
