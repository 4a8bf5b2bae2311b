package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/errand"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// clock is time that a test moves.
type clock struct {
	awake, asleep time.Duration
	stolen        Stolen
	ticking       bool
}

func (c *clock) Monotonic() time.Duration { return c.awake }
func (c *clock) Boottime() time.Duration  { return c.awake + c.asleep }
func (c *clock) Stolen() Stolen           { return c.stolen }
func (c *clock) Ticker(time.Duration) (<-chan time.Time, func()) {
	c.ticking = true
	return nil, func() { c.ticking = false }
}

func TestStallIsWhatTicksMiss(t *testing.T) {
	t.Parallel()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for name, test := range map[string]struct {
		gaps  []time.Duration // between two ticks
		end   time.Duration   // after the last
		slept time.Duration
		want  Pause
	}{
		"none":               {[]time.Duration{ms(20), ms(21), ms(19)}, ms(5), 0, Pause{}},
		"a busy machine":     {[]time.Duration{ms(35), ms(40), ms(38)}, ms(39), 0, Pause{}},
		"one":                {[]time.Duration{ms(20), ms(520), ms(20)}, ms(5), 0, Pause{Late: ms(500)}},
		"two":                {[]time.Duration{ms(120), ms(20), ms(220)}, ms(5), 0, Pause{Late: ms(300)}},
		"tick not yet there": {[]time.Duration{ms(20)}, ms(1020), 0, Pause{Late: ms(1000)}},
		"suspended":          {[]time.Duration{ms(20), ms(20)}, ms(1), time.Hour, Pause{Suspended: time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{awake: time.Hour}
			s := NewStall(c)
			span := s.Begin(nil)
			for _, gap := range test.gaps {
				c.awake += gap
				s.advance()
			}
			c.awake += test.end
			c.asleep += test.slept
			if got := span.End(); got != test.want {
				t.Errorf("got %+v, wanted %+v", got, test.want)
			}
		})
	}
}

func TestStallTicksOnlyWhileAProbeIsInFlight(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := NewStall(c)
	if c.ticking {
		t.Error("it ticks before the first")
	}
	first, second := s.Begin(nil), s.Begin(nil)
	first.End()
	if !c.ticking {
		t.Error("it stops ticking with one in flight")
	}
	second.End()
	if c.ticking {
		t.Error("it ticks after the last")
	}
	c.awake += time.Hour // in which nobody watched
	if pause := s.Begin(nil).End(); pause != (Pause{}) {
		t.Errorf("the time between two is a stall: %+v", pause)
	}
}

func TestStallBelongsToTheProbesThatItHit(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := NewStall(c)
	before := s.Begin(nil)
	c.awake += time.Second
	after := s.Begin(nil)
	if got := after.End(); got.Late != 0 {
		t.Errorf("a probe that began after a stall has %v of it", got.Late)
	}
	if got := before.End(); got.Late != time.Second-tick {
		t.Errorf("a probe that began before has %v of it", got.Late)
	}
}

func TestOnlyAFailureInAStallIsInconclusive(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		timeout, late time.Duration
		err           error
		inconclusive  bool
	}{
		{time.Second, 400 * time.Millisecond, errors.New("no answer"), true},
		{time.Second, 300 * time.Millisecond, errors.New("no answer"), false},
		{150 * time.Millisecond, 90 * time.Millisecond, errors.New("no answer"), false}, // a third, but too short
		{150 * time.Millisecond, 110 * time.Millisecond, errors.New("no answer"), true},
		{time.Second, 10 * time.Second, nil, false}, // an answer is an answer
		{time.Second, 0, errors.New("no answer"), false},
	} {
		pause := Pause{Late: test.late}
		err := pause.Excuse(test.err, test.timeout)
		var inconclusive *Inconclusive
		if errors.As(err, &inconclusive) != test.inconclusive || !errors.Is(err, test.err) {
			t.Errorf("%v late of %v: %v", test.late, test.timeout, err)
		}
		if inconclusive != nil && (inconclusive.Pause != pause || inconclusive.Timeout != test.timeout) {
			t.Errorf("the evidence is %+v", inconclusive)
		}
	}
}

func TestStoppedProberBlamesItself(t *testing.T) {
	t.Parallel()
	const timeout = 400 * time.Millisecond
	if got := probeInChild(t, timeout, 2*timeout); !strings.HasPrefix(got, "inconclusive, for the supervisor itself was stalled for ") {
		t.Errorf("a prober that was stopped says %q", got)
	}
	if got := probeInChild(t, timeout, 0); !strings.HasPrefix(got, "waited for 127.0.0.1") {
		t.Errorf("a prober that was not stopped says %q", got)
	}
}

// probeInChild runs a probe that is never answered in a process of its own, stops that process for a while, and returns
// the probe's error.
func probeInChild(t *testing.T, timeout, stopped time.Duration) string {
	t.Helper()
	asked := make(chan struct{}, 1)
	s := serve(t, func(c net.Conn) {
		asked <- struct{}{}
		c.Read(make([]byte, 1))
	})
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("PROBE_CHILD=%d", s.port), "PROBE_TIMEOUT="+timeout.String())
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	<-asked
	if stopped > 0 {
		child.Process.Signal(syscall.SIGSTOP)
		time.Sleep(stopped) // the stall itself
		child.Process.Signal(syscall.SIGCONT)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child says nothing")
	}
	return lines.Text()
}

// TestMain is also the child of probeInChild, and what runs the commands of probes.
func TestMain(m *testing.M) {
	if errand.Running(os.Args) {
		errand.Main()
	}
	var port int64
	if _, err := fmt.Sscan(os.Getenv("PROBE_CHILD"), &port); err != nil {
		os.Exit(m.Run())
	}
	var timeout plan.Duration
	err := timeout.UnmarshalText([]byte(os.Getenv("PROBE_TIMEOUT")))
	if err == nil {
		var target *Target
		target, err = Resolve(&plan.Plan{}, &plan.Service{}, &plan.Probe{TCP: &plan.TCPProbe{Host: "127.0.0.1", Port: expr.IntOf(port)}, Timeout: timeout}, &expr.Env{}, nil)
		if err == nil {
			err = NewStall(nil).Check(context.Background(), target, nil)
		}
	}
	fmt.Println(err)
}
