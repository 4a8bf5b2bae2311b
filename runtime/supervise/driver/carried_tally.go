package driver

import (
	"time"

	"recipe/runtime/metrics"
)

// carriedTally is what was counted. Lists are as long as those of whoever wrote them: another program may count more.
type carriedTally struct {
	Cause    metrics.Cause  `json:"cause,omitempty"`
	Spawned  int64          `json:"spawned,omitempty"` // by CLOCK_MONOTONIC, in nanoseconds
	Restarts []uint64       `json:"restarts,omitempty"`
	Exit     *carriedExit   `json:"exit,omitempty"`
	Start    time.Duration  `json:"start,omitempty"`
	Ready    time.Duration  `json:"ready,omitempty"`
	Runs     uint64         `json:"runs,omitempty"`
	Failures uint64         `json:"failures,omitempty"`
	Probes   []carriedProbe `json:"probes,omitempty"`
}

type carriedExit struct {
	Code int       `json:"code"`
	At   time.Time `json:"at"`
}

type carriedProbe struct {
	Name    string        `json:"name,omitempty"`
	Results []uint64      `json:"results,omitempty"`
	Buckets []uint64      `json:"buckets,omitempty"`
	Sum     time.Duration `json:"sum,omitempty"`
}

func (t *tally) carry() *carriedTally {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &carriedTally{Cause: t.cause, Restarts: counted(t.restarts[:]), Start: t.start, Ready: t.ready, Runs: t.runs, Failures: t.failures}
	if !t.spawned.IsZero() {
		c.Spawned = monotonic() - int64(time.Since(t.spawned))
	}
	if t.exit != nil {
		c.Exit = &carriedExit{t.exit.Code, t.exit.At.Round(0).UTC()}
	}
	for _, p := range t.probes {
		c.Probes = append(c.Probes, carriedProbe{p.Name, counted(p.Results[:]), counted(p.Took.Buckets[:]), p.Took.Sum})
	}
	return c
}

// counted is a copy, and nil where nothing was counted.
func counted(all []uint64) []uint64 {
	for _, n := range all {
		if n > 0 {
			return append([]uint64(nil), all...)
		}
	}
	return nil
}

// resume goes on counting.
func (t *tally) resume(c *carriedTally) {
	if c == nil {
		return
	}
	if c.Cause >= 0 && int(c.Cause) < len(metrics.Causes) {
		t.cause = c.Cause
	}
	if c.Spawned != 0 {
		t.spawned = then(c.Spawned)
	}
	if c.Exit != nil {
		t.exit = &metrics.Exit{Code: c.Exit.Code, At: c.Exit.At}
	}
	copy(t.restarts[:], c.Restarts)
	t.start, t.ready, t.runs, t.failures = c.Start, c.Ready, c.Runs, c.Failures
	for _, one := range c.Probes {
		p := metrics.Probe{Name: one.Name, Took: metrics.Histogram{Sum: one.Sum}}
		copy(p.Results[:], one.Results)
		copy(p.Took.Buckets[:], one.Buckets)
		t.probes = append(t.probes, p)
	}
}
