package probe

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// tree is what a test lets the kernel tell of a service.
type tree struct {
	frozen       bool
	ice, starved time.Duration
}

func (t *tree) Frozen() (bool, time.Duration) { return t.frozen, t.ice }
func (t *tree) Starved() time.Duration        { return t.starved }

// TestEveryPauseIsNamedWithItsFigure holds, of each cause for itself, that a failure in it proves nothing, is said to be of
// it, and whether it excuses for ever.
func TestEveryPauseIsNamedWithItsFigure(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		do   func(c *clock, tr *tree)
		want string
		busy bool
	}{
		{"late", func(c *clock, _ *tree) { c.awake += time.Second }, "the supervisor itself was stalled for 980ms", false},
		{"suspended", func(c *clock, _ *tree) { c.asleep += time.Hour }, "the machine slept for 1h", false},
		{"frozen", func(_ *clock, tr *tree) { tr.ice += 700 * time.Millisecond }, "the service's cgroup was frozen for 700ms", false},
		{"frozen, by a kernel that does not count", func(_ *clock, tr *tree) { tr.frozen = true }, "the service's cgroup was frozen for 980ms", false},
		{"stolen", func(c *clock, _ *tree) { c.stolen = Stolen{Kept: 110, All: 200} }, "the hypervisor kept back 490ms of each CPU", true},
		{"starved", func(_ *clock, tr *tree) { tr.starved += 600 * time.Millisecond }, "the service waited 600ms for a CPU", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, tr := &clock{awake: time.Hour, stolen: Stolen{Kept: 10}}, &tree{ice: time.Minute, starved: time.Minute}
			s := NewStall(c)
			span := s.Begin(tr)
			ticks := func(d time.Duration) {
				for range d / tick {
					c.awake += tick
					s.advance()
					s.markOld()
				}
			}
			ticks(100 * time.Millisecond)
			test.do(c, tr)
			if test.want[:14] != "the supervisor" {
				ticks(900 * time.Millisecond)
			}
			pause := span.End()
			err := pause.Excuse(errors.New("no answer"), time.Second)
			if inconclusive := (*Inconclusive)(nil); !errors.As(err, &inconclusive) || !strings.Contains(err.Error(), test.want) || strings.Contains(pause.String(), ", ") {
				t.Errorf("%v, wanted %q alone", err, test.want)
			}
			if pause.Busy(time.Second) != test.busy {
				t.Errorf("it excuses for ever: %t", !pause.Busy(time.Second))
			}
		})
	}
}

// A probe that is answered at once reads no file of the kernel's.
func TestOnlySlowProbesAreLookedAtClosely(t *testing.T) {
	t.Parallel()
	c := &clock{awake: time.Hour}
	s := NewStall(c)
	span := s.Begin(nil)
	c.awake += markAfter - 1
	s.advance()
	s.markOld()
	if span.mark != nil {
		t.Error("a quick probe is marked")
	}
	span.End()
}

func TestStolenIsReadAsTheKernelWritesIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Stolen{
		"cpu  10 1 5 100 2 0 1 7 3 0\ncpu0 5 0 2 50 1 0 0 3 1 0\n": {7, 126},
		"cpu  10 1 5 100 2 0 1\n":                                  {},
		"cpu  a 1 5 100 2 0 1 7\n":                                 {},
		"cpu  1 1 5 -100 2 0 1 7\n":                                {},
		"":                                                         {},
	} {
		if got := parseStolen(text); got != want {
			t.Errorf("%q gives %+v, wanted %+v", text, got, want)
		}
	}
	if now := (kernelClock{}).Stolen(); now.All == 0 {
		t.Error("this kernel tells nothing")
	}
}
