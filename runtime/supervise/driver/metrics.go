package driver

import (
	"context"
	"runtime"
	"runtime/debug"
	meter "runtime/metrics"

	"golang.org/x/sys/unix"

	"recipe/runtime/control"
	"recipe/runtime/metrics"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// serveMetrics answers scrapes until ctx ends. An address that is taken, and a listener that breaks, is said once, and tried
// again: the services go on without it.
func (s *Supervisor) serveMetrics(ctx context.Context, address metrics.Address) {
	said := ""
	for {
		l, err := address.Listen(ctx, s.options.Groups)
		if err == nil {
			s.say("metrics on %s", l.Addr())
			err = metrics.Serve(ctx, l, s)
		}
		if ctx.Err() != nil {
			return
		}
		if text := err.Error(); text != said {
			said = text
			s.say("%s; it is tried again every %s", text, socketRetry)
		}
		if !sleep(ctx, socketRetry) {
			return
		}
	}
}

// showRecipes lets others see what holds of the recipes, which belong to Run's goroutine.
func (s *Supervisor) showRecipes() {
	shown := make([]metrics.Recipe, len(s.recipes))
	for i, r := range s.recipes {
		shown[i] = metrics.Recipe{Name: r.name(), Digest: r.digest, Refused: r.refused != "" || r.unused || r.unread}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = shown
}

// Unusable implements metrics.Source.
func (s *Supervisor) Unusable() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.shown {
		if r.Digest == "" {
			names = append(names, r.Name)
		}
	}
	return names
}

// Snapshot implements metrics.Source. It reads what the kernel knows of every service's processes.
func (s *Supervisor) Snapshot() *metrics.Snapshot {
	s.mu.Lock()
	all, recipes := s.all(), s.shown
	s.mu.Unlock()
	shot := &metrics.Snapshot{
		Version: "(devel)", Go: runtime.Version(), Containment: string(s.host.Containment()), Started: s.began,
		Self: metrics.Usage(process.OwnUsage()), Goroutines: runtime.NumGoroutine(), Recipes: recipes,
		Services: make([]metrics.Service, len(all)),
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		shot.Version = info.Main.Version
	}
	heap := []meter.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}}
	meter.Read(heap)
	shot.Heap, shot.Mapped = heap[0].Value.Uint64(), heap[1].Value.Uint64()
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) == nil {
		shot.MostFiles = files.Cur
	}
	for i, sv := range all {
		sv.measure(&shot.Services[i])
	}
	return shot
}

// measure fills in what is to be shown of the service.
func (sv *service) measure(to *metrics.Service) {
	st, v := sv.status(), sv.snapshot()
	*to = metrics.Service{
		Name: sv.name, Recipe: st.Recipe, Digest: st.Digest, State: st.State, Up: st.IsUp(), Wanted: st.Desired == control.Up,
		Healthy: st.Healthy, Stalls: uint64(st.Stalls),
	}
	if v.machine.State == supervise.Running {
		to.Executed = v.machine.Executed
	}
	sv.tally.show(to, len(v.machine.Config.Probes))
	if v.incarnation != nil {
		if u, ok := v.incarnation.Usage(); ok {
			usage := metrics.Usage(u)
			to.Usage = &usage
		}
	}
	written := sv.log.Stats()
	to.Log = metrics.Log{Bytes: uint64(written.Bytes), Dropped: uint64(written.Dropped)}
	if st.Task != nil {
		to.Task = sv.tally.task(st.Task)
	}
}

// task is what metrics show of a task, from the runs that are kept.
func (t *tally) task(kept *control.Task) *metrics.Task {
	t.mu.Lock()
	defer t.mu.Unlock()
	task := &metrics.Task{Runs: t.runs, Failures: t.failures}
	if last := kept.LastRun(); last != nil {
		task.Ended, task.Took, task.OK = *last.Ended, last.Ended.Sub(last.Began), last.OK
	}
	for _, run := range kept.Runs {
		if run.Ended != nil && run.OK {
			task.Succeeded = *run.Ended
		}
	}
	return task
}

var _ metrics.Source = (*Supervisor)(nil)
