package driver

import (
	"context"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/metrics"
	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

func TestTallyTellsWhyAServiceWasStartedAgain(t *testing.T) {
	t.Parallel()
	at := func(s supervise.State) *supervise.Machine { return &supervise.Machine{State: s} }
	for _, test := range []struct {
		event   supervise.Event
		from    supervise.State
		to      supervise.State
		ordered bool
		want    metrics.Cause
	}{
		{supervise.Exited{Status: "exit 3"}, supervise.Running, supervise.Killing, false, metrics.ByExit},
		{supervise.Exited{Status: "killed by SIGSEGV, core dumped"}, supervise.Running, supervise.Killing, false, metrics.BySignal},
		{supervise.Exited{Status: "exit 100"}, supervise.Starting, supervise.Killing, false, metrics.ByPrepare},
		{supervise.SpawnFailed{}, supervise.Starting, supervise.Waiting, false, metrics.BySpawn},
		{supervise.Answer{}, supervise.Running, supervise.Killing, false, metrics.ByProbe},
		{supervise.Restart{}, supervise.Running, supervise.Ending, true, metrics.ByOperator},
		{supervise.Restart{}, supervise.Running, supervise.Ending, false, metrics.ByChange},
		{supervise.Reload{}, supervise.Starting, supervise.Killing, false, metrics.ByChange},
	} {
		var c tally
		c.told(test.event, test.ordered)
		c.stepped(time.Now(), test.event, at(test.from), at(test.to))
		c.stepped(time.Now(), supervise.Exited{Status: "killed by SIGKILL"}, at(supervise.Killing), at(supervise.Killing)) // our own kill
		next := at(supervise.Starting)
		next.Restarts = 1
		c.stepped(time.Now(), supervise.Admitted{}, at(supervise.Queued), next)
		for cause, n := range c.restarts {
			if (n == 1) != (metrics.Cause(cause) == test.want) {
				t.Errorf("%T in %s: %d restarts by %s", test.event, test.from, n, metrics.Causes[cause])
			}
		}
	}
}

func TestTallyKeepsProbesApart(t *testing.T) {
	t.Parallel()
	var c tally
	for _, a := range []supervise.Answer{
		{Probe: 0, Name: "tcp 80", OK: true, Took: time.Millisecond}, {Probe: 2, Name: "tcp 80", Took: time.Second},
		{Probe: 0, Name: "tcp 80", Inconclusive: true}, {Probe: 1, Name: "http 80/", OK: true}, {Probe: 3, Name: "gone", OK: true},
	} {
		c.answered(a)
	}
	c.answered(supervise.Answer{Probe: 1, Name: "http 81/", OK: true}) // another now
	var s metrics.Service
	c.show(&s, 3)
	want := []metrics.Probe{
		{Name: "tcp 80", Results: [...]uint64{1, 0, 1}}, {Name: "http 81/", Results: [...]uint64{1, 0, 0}}, {Name: "tcp 80 #3", Results: [...]uint64{0, 1, 0}},
	}
	if len(s.Probes) != len(want) {
		t.Fatalf("%+v", s.Probes)
	}
	for i, p := range s.Probes {
		if p.Name != want[i].Name || p.Results != want[i].Results {
			t.Errorf("%+v, want %+v", p, want[i])
		}
	}
	if sum := s.Probes[2].Took.Sum; sum != time.Second {
		t.Errorf("it took %v", sum)
	}
	if s.Probes[1].Took != (metrics.Histogram{}) {
		t.Error("what was said unasked took time")
	}
}

// metric waits until what is shown of a service or task is as wanted.
func (r *running) metric(name, what string, holds func(*metrics.Service) bool) {
	r.t.Helper()
	r.until(what, func() bool {
		for _, s := range r.Snapshot().Services {
			if s.Name == name {
				return holds(&s)
			}
		}
		return false
	})
}

func TestMetricsOfARun(t *testing.T) {
	p := planOf(serviceOf("a", "echo hello; while :; do sleep 1; done"))
	p.Tasks = []plan.Task{taskOf("once", "sleep 0.01")}
	r := begun(t, p)
	syscall.Kill(r.pidOf("a"), syscall.SIGKILL)
	r.metric("a", "the death by a signal is counted", func(s *metrics.Service) bool {
		return s.Restarts[metrics.BySignal] == 1 && s.Exit != nil && s.Exit.Code == 137 && time.Since(s.Exit.At) < time.Hour
	})
	if _, err := r.Restart(context.Background(), "a", control.Caller{User: "tester"}); err != nil {
		t.Fatal(err)
	}
	r.metric("a", "the restart is counted, and the daemon measured", func(s *metrics.Service) bool {
		return s.Restarts[metrics.ByOperator] == 1 && s.Up && s.Wanted && s.Start > 0 && time.Since(s.Executed) < time.Hour &&
			s.Usage != nil && s.Usage.Processes >= 1 && s.Usage.Memory > 0 && s.Log.Bytes >= 12
	})
	r.metric("once", "the run is counted", func(s *metrics.Service) bool {
		return s.Task != nil && s.Task.Runs == 1 && s.Task.OK && s.Task.Took >= 10*time.Millisecond && s.Task.Succeeded.Equal(s.Task.Ended) && s.Usage == nil
	})
	shot := r.Snapshot()
	if shot.Self.Memory == 0 || shot.Heap == 0 || shot.Mapped == 0 || shot.Goroutines == 0 || shot.MostFiles == 0 || len(shot.Recipes) != 1 || shot.Recipes[0].Refused {
		t.Errorf("%+v", shot)
	}
	r.change(nil, "broken")
	r.until("the refusal is shown, with the plan that holds", func() bool {
		now := r.Snapshot().Recipes[0]
		return now.Refused && now.Digest == shot.Recipes[0].Digest && now.Digest != ""
	})
	if len(r.Unusable()) > 0 {
		t.Errorf("unusable: %v", r.Unusable())
	}
	r.change(p, "mended")
	r.until("it is mended", func() bool { return !r.Snapshot().Recipes[0].Refused })
	if _, err := r.Stop(context.Background(), "a", control.Caller{User: "tester"}); err != nil {
		t.Fatal(err)
	}
	r.metric("a", "nothing is measured of what is stopped", func(s *metrics.Service) bool {
		return s.Usage == nil && !s.Wanted && !s.Up && s.Executed.IsZero()
	})
}
