package driver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/supervise"
	"recipe/runtime/systemd"
)

// What the init is told, where one listens (package systemd). One goroutine says all of it, and sleeps while nothing changes:
//
//	READY=1      when every recipe was taken, and each service that is wanted was executed, or has failed to start, or 10 s
//	             later: what waits for another, or for leftovers that do not die, waits for ever
//	STATUS=      how many services are up, and which are not, at most ten times a second
//	WATCHDOG=1   twice in the time that the init waits, while what matters answers; without that time nothing is woken
//
// A supervisor that becomes another program says RELOADING=1, and that one READY=1; one that ends says STOPPING=1.

const (
	readyPatience = 10 * time.Second
	tellInitEvery = 100 * time.Millisecond
	askExtension  = 15 * time.Second // of the init's patience, which is asked for anew each third of it
	mostNamed     = 5                // services that a status names
)

// lifeline is what a supervisor says to its init, and whom it asks before.
type lifeline struct {
	changed chan struct{}      // a service has another state
	asks    chan chan struct{} // to the goroutine that keeps recipes, which closes what it is sent
	until   atomic.Int64       // that goroutine waits for somebody else until then, in nanoseconds by the clock
	said    string             // the last status
}

func newLifeline() lifeline {
	return lifeline{changed: make(chan struct{}, 1), asks: make(chan chan struct{})}
}

// stirs has the init told soon of what changed.
func (l *lifeline) stirs() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// waits tells that recipes are not kept for a while, because of what ends by itself within that time. The init waits as long.
func (s *Supervisor) waits(atMost time.Duration) (over func()) {
	s.lifeline.until.Store(time.Now().Add(atMost).UnixNano())
	return func() { s.lifeline.until.Store(0) }
}

// tellInit tells the init how this supervisor is, until ctx ends. It is ready at once where it went on with another's work.
func (s *Supervisor) tellInit(ctx context.Context, resumed bool) {
	i := s.options.Init
	if i == nil {
		return
	}
	var beat <-chan time.Time
	if wait := i.Watchdog(); wait > 0 {
		ticker := time.NewTicker(wait / 2)
		defer ticker.Stop()
		beat = ticker.C
	}
	ready := resumed
	if ready {
		s.tellReady()
	}
	late := time.NewTimer(readyPatience)
	defer late.Stop()
	s.lifeline.stirs()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.lifeline.changed:
			if again == nil {
				again = time.After(tellInitEvery)
			}
			continue
		case <-again:
			again = nil
		case <-late.C:
			ready = s.readyOnce(ready, true)
			continue
		case <-beat:
			s.beat(i.Watchdog() / 4)
			continue
		}
		if ready = s.readyOnce(ready, false); ready {
			late.Stop()
		}
		s.tellStatus(s.summary())
	}
}

func (s *Supervisor) readyOnce(ready, late bool) bool {
	if !ready && (late || s.begun()) {
		s.tellReady()
		return true
	}
	return ready
}

func (s *Supervisor) tellReady() {
	s.lifeline.said = s.summary()
	_ = s.options.Init.Say("READY=1", "STATUS="+s.lifeline.said)
}

func (s *Supervisor) tellStatus(text string) {
	if text != s.lifeline.said && s.options.Init.Say("STATUS="+text) == nil {
		s.lifeline.said = text
	}
}

// beat shows that this supervisor lives, unless something that matters does not answer: then the init is told what, and ends
// this process when its time is over.
func (s *Supervisor) beat(patience time.Duration) {
	if stuck := s.stuck(patience); stuck != "" {
		s.tellStatus(stuck + " does not answer")
		return
	}
	_ = s.options.Init.Say("WATCHDOG=1")
}

// stuck asks what keeps recipes, what reads the services' output and the services' own steps, and names who did not answer.
// A service may be stuck by itself; where all are, it is not theirs.
func (s *Supervisor) stuck(patience time.Duration) string {
	late := time.NewTimer(patience)
	defer late.Stop()
	answer := make(chan struct{})
	select {
	case s.lifeline.asks <- answer:
	case <-s.kept:
	case <-late.C:
		if time.Now().UnixNano() > s.lifeline.until.Load() {
			return "what keeps the recipes"
		}
	}
	if !s.logs.Answers(patience) {
		return "what reads the services' output"
	}
	if !s.stepsAnswer(patience) {
		return "what steps the services"
	}
	return ""
}

func (s *Supervisor) stepsAnswer(patience time.Duration) bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	answered := make(chan struct{}, 1)
	asked := make(chan bool, 1)
	go func() {
		s.mu.Lock()
		all := s.all()
		s.mu.Unlock()
		for _, sv := range all {
			sv.send(message{do: func() {
				select {
				case answered <- struct{}{}:
				default:
				}
			}})
		}
		asked <- len(all) > 0
	}()
	for {
		select {
		case some := <-asked:
			if !some {
				return true
			}
		case <-answered:
			return true
		case <-late.C:
			return false
		}
	}
}

// begun reports whether every service that is wanted was executed, or has failed to start.
func (s *Supervisor) begun() bool {
	s.mu.Lock()
	all := s.all()
	s.mu.Unlock()
	return !slices.ContainsFunc(all, func(sv *service) bool {
		m := sv.snapshot().machine
		return m.State == supervise.Starting || (m.State == supervise.Queued || m.State == supervise.Killing) && m.Deaths == 0 || m.State == supervise.Stopped && sv.wishes().down() == ""
	})
}

// summary is a line for the init: how many services that are wanted are up, and who is not.
func (s *Supervisor) summary() string {
	wanted, up := 0, 0
	var not []string
	for _, st := range s.Status(context.Background()) {
		if st.Desired != control.Up {
			continue
		}
		wanted++
		if st.IsUp() {
			up++
		} else {
			not = append(not, fmt.Sprintf("%s %s", st.Service, st.State))
		}
	}
	text := fmt.Sprintf("%d of %d up", up, wanted)
	if len(not) == 0 {
		return text
	}
	more := ""
	if len(not) > mostNamed {
		not, more = slices.Clip(not[:mostNamed]), fmt.Sprintf(", and %d more", len(not)-mostNamed)
	}
	return text + "; not " + strings.Join(not, ", ") + more
}

// tellStopping says that this supervisor ends, and asks for more time while a service uses the grace that it has.
func (s *Supervisor) tellStopping(ctx context.Context) {
	i := s.options.Init
	if i == nil {
		return
	}
	_ = i.Say("STOPPING=1")
	ticker := time.NewTicker(askExtension / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if s.inGrace() {
				_ = i.Say(systemd.Extend(askExtension))
			}
		}
	}
}

func (s *Supervisor) inGrace() bool {
	s.mu.Lock()
	all := s.all()
	s.mu.Unlock()
	return slices.ContainsFunc(all, func(sv *service) bool { return sv.snapshot().machine.State == supervise.Ending })
}
