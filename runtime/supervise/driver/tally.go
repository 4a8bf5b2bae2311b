package driver

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"recipe/runtime/metrics"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// tally counts what metrics show of a service, since it was taken under supervision. Its methods may be called concurrently.
type tally struct {
	mu       sync.Mutex
	cause    metrics.Cause // why the next start will be
	spawned  time.Time     // the last start
	restarts [len(metrics.Causes)]uint64
	exit     *metrics.Exit
	start    time.Duration
	ready    time.Duration
	runs     uint64
	failures uint64
	probes   []metrics.Probe // by index in the plan; without a name: never asked
}

// told notes why the next start will be, where that is asked for; ordered is set where an operator waits for it.
func (t *tally) told(event supervise.Event, ordered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch event.(type) {
	case supervise.Start, supervise.Restart, supervise.Reload:
		if t.cause = metrics.ByChange; ordered {
			t.cause = metrics.ByOperator
		}
	}
}

// stepped notes what an event did to the machine.
func (t *tally) stepped(now time.Time, event supervise.Event, before, after *supervise.Machine) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case supervise.Exited:
		switch {
		case before.State == supervise.Starting:
			t.cause = metrics.ByPrepare
		case before.State != supervise.Running:
		case strings.HasPrefix(e.Status, "exit"):
			t.cause = metrics.ByExit
		default:
			t.cause = metrics.BySignal
		}
	case supervise.SpawnFailed:
		t.cause = metrics.BySpawn
	case supervise.Answer:
		if before.State == supervise.Running && after.State == supervise.Killing {
			t.cause = metrics.ByProbe
		}
	}
	if after.Restarts > before.Restarts {
		t.restarts[t.cause]++
	}
	if before.State != supervise.Starting && after.State == supervise.Starting {
		t.spawned, t.start, t.ready = now, 0, 0
	}
	if before.State == supervise.Starting && after.State == supervise.Running {
		t.start = now.Sub(t.spawned)
	}
	if !before.EverHealthy && after.EverHealthy && len(after.Config.Probes) > 0 {
		t.ready = now.Sub(after.Executed)
	}
}

// ended notes how an incarnation did.
func (t *tally) ended(s process.Status) {
	code := s.Code
	if s.Signal != 0 {
		code = 128 + int(s.Signal)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.exit = &metrics.Exit{Code: code, At: time.Now()}
}

// ran notes the end of a task's run.
func (t *tally) ran(ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	if !ok {
		t.failures++
	}
}

// answered counts a probe's answer. A probe of another name at that place begins anew.
func (t *tally) answered(a supervise.Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.probes) <= a.Probe {
		t.probes = append(t.probes, metrics.Probe{})
	}
	name := a.Name
	for i, other := range t.probes {
		if i < a.Probe && other.Name == name {
			name = fmt.Sprintf("%s #%d", a.Name, a.Probe+1)
		}
	}
	p := &t.probes[a.Probe]
	if p.Name != name {
		*p = metrics.Probe{Name: name}
	}
	switch {
	case a.Inconclusive:
		p.Results[metrics.Inconclusive]++
		return
	case a.OK:
		p.Results[metrics.Success]++
	default:
		p.Results[metrics.Failure]++
	}
	if a.Took > 0 { // what a daemon says unasked took nobody's time
		p.Took.Add(a.Took)
	}
}

// show puts what was counted into what metrics show. declared is how many probes there are now.
func (t *tally) show(s *metrics.Service, declared int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Restarts, s.Exit, s.Start, s.Ready = t.restarts, t.exit, t.start, t.ready
	for _, p := range t.probes[:min(declared, len(t.probes))] {
		if p.Name != "" {
			s.Probes = append(s.Probes, p)
		}
	}
}
