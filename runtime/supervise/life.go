package supervise

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"time"
)

func (s *step) inherit(Inherited) {
	s.inherited = true
	s.do(Clear{})
	s.enter(Killing, time.Time{}, "what an earlier supervisor left is ended first")
}

// cleared tells that nothing is left of what was inherited; what was ordered meanwhile is done now.
func (s *step) cleared(e Emptied) {
	s.inherited = false
	s.Reason = "nothing was left by an earlier supervisor"
	if e.Left > 0 {
		s.Reason = fmt.Sprintf("an earlier supervisor left %d processes, which were killed", e.Left)
	}
	s.record("clear", "%s", s.Reason)
}

func (s *step) begin(e Start) {
	s.Wanted = true
	s.record("start", "%s", e.Why)
	s.queue(e.Why)
}

func (s *step) hurry(e Start) {
	s.record("start", "%s, without waiting for the delay", e.Why)
	s.queue(e.Why)
}

func (s *step) beginAfter(e Start) {
	if !s.Wanted {
		s.record("start", "%s, as soon as the last incarnation is gone", e.Why)
	}
	s.Wanted, s.atOnce = true, true
}

func (s *step) stopAgain(e Stop) { s.Reason = e.Why }

func (s *step) stopIdle(e Stop) {
	s.Wanted, s.atOnce = false, false
	s.record("stop", "%s; nothing was running", e.Why)
	s.enter(Stopped, time.Time{}, e.Why)
}

func (s *step) stopStarting(e Stop) {
	s.Wanted, s.atOnce = false, false
	s.record("stop", "%s", e.Why)
	s.ending = e.Why
	s.kill(e.Why)
}

func (s *step) stopRunning(e Stop) {
	s.Wanted, s.atOnce = false, false
	s.record("stop", "%s", e.Why)
	s.end(e.Why)
}

func (s *step) stopEnding(e Stop) {
	s.Wanted, s.atOnce = false, false
	s.record("stop", "%s; it is ending already", e.Why)
	s.ending = e.Why
}

func (s *step) restartWaiting(e Restart) {
	s.record("restart", "%s, without waiting for the delay", e.Why)
	s.queue(e.Why)
}

func (s *step) restartStarting(e Restart) {
	s.atOnce = true
	s.record("restart", "%s", e.Why)
	s.ending = e.Why
	s.kill(e.Why)
}

func (s *step) restartRunning(e Restart) {
	s.atOnce = true
	s.record("restart", "%s", e.Why)
	s.end(e.Why)
}

// restartEnding is nothing to a service that is being stopped.
func (s *step) restartEnding(Restart) { s.atOnce = s.Wanted }

// end begins the end of a daemon that runs.
func (s *step) end(why string) {
	s.ending = why
	s.do(StopProbes{}, Signal{s.Config.Stop.Signal})
	s.part(why)
}

// part gives the daemon its grace.
func (s *step) part(why string) {
	s.parting = s.now
	s.enter(Ending, s.now.Add(s.Config.Stop.Grace.Std()), why)
}

func (s *step) kill(why string) {
	if s.State == Running {
		s.do(StopProbes{})
	}
	s.do(Kill{})
	s.enter(Killing, time.Time{}, why)
}

// reloadStarting begins anew: the launcher's orders are of before the change, and it may have written the templates
// already.
func (s *step) reloadStarting(e Reload) { s.restartStarting(Restart{Why: e.Why}) }

func (s *step) reloadRunning(e Reload) {
	s.record("reload", "%s: templates rewritten, signal %s", e.Why, e.Signal)
	s.do(Rewrite{Signal: e.Signal})
}

func (s *step) configure(e Configure) { s.Config = e.Config }

func (s *step) configureWaiting(e Configure) {
	s.Config = e.Config
	if limit := s.now.Add(s.Config.Restart.Cap.Std()); s.Due.After(limit) {
		s.Due = limit
	}
}

func (s *step) configureRunning(e Configure) {
	changed := !reflect.DeepEqual(s.Config.Probes, e.Config.Probes)
	s.Config = e.Config
	if changed {
		s.do(StopProbes{})
		s.watch()
	}
}

func (s *step) hasten(e Hasten) {
	s.record("kill", "%s", e.Why)
	s.kill(e.Why)
}

// due tells whether what is timed has come.
func (s *step) due() bool { return !s.Due.IsZero() && !s.now.Before(s.Due) }

func (s *step) delayOver(Timer) {
	if s.due() {
		s.queue(s.Reason)
	}
}

func (s *step) graceOver(Timer) {
	if s.due() {
		s.record("kill", "still there %s after %s", s.now.Sub(s.parting).Round(time.Millisecond), s.partedBy("signal "+s.Config.Stop.Signal))
		s.kill(s.Reason)
	}
}

func (s *step) queue(reason string) {
	s.do(Admit{})
	s.enter(Queued, time.Time{}, reason)
}

func (s *step) admitted(Admitted) {
	if s.spawned {
		s.Restarts++
	}
	s.spawned, s.atOnce = true, false
	s.ending, s.insane, s.unsaid = "", "", false
	s.Executed, s.Healthy, s.EverHealthy = time.Time{}, false, false
	s.do(Spawn{})
	s.enter(Starting, time.Time{}, s.Reason)
}

func (s *step) executed(Executed) {
	s.Executed, s.extended, s.unasked = s.now, time.Time{}, false
	s.enter(Running, time.Time{}, s.Reason)
	s.watch()
}

func (s *step) notSane(e NotSane) { s.insane = e.Reason }

func (s *step) spawnFailed(e SpawnFailed) { s.dead(fmt.Sprintf("cannot start: %s", e.Reason)) }

func (s *step) exitedStarting(e Exited) {
	s.ending = "ended while it was prepared: " + e.Status
	if s.insane != "" {
		s.ending = "cannot start: " + s.insane
	}
	s.unsaid = true
	s.kill(s.ending)
}

func (s *step) exitedRunning(e Exited) {
	s.ending, s.unsaid = "the daemon ended: "+e.Status, true
	s.kill(s.ending)
}

func (s *step) exitedEnding(e Exited) {
	s.record("ended", "%s after %s", e.Status, s.partedBy("the stop signal"))
	if s.unasked {
		s.ending = "it said that it was stopping, and ended: " + e.Status
	}
	s.kill(s.Reason)
}

func (s *step) emptied(e Emptied) {
	if s.inherited {
		s.cleared(e)
		if s.Wanted {
			s.queue(s.Reason)
		} else {
			s.enter(Stopped, time.Time{}, cmp.Or(s.ending, s.Reason))
		}
		return
	}
	reason := s.ending
	if e.Left > 0 {
		reason += fmt.Sprintf("; %d more of its tree killed", e.Left)
		if !s.Executed.IsZero() && s.now.Sub(s.Executed) < 10*time.Second && s.Wanted {
			reason += " (a daemon that forks away cannot be watched: it has to stay in the foreground)"
		}
	}
	switch {
	case !s.Wanted:
		s.record("stopped", "%s", reason)
		s.enter(Stopped, time.Time{}, reason)
	case s.atOnce:
		s.again(reason)
	default:
		s.dead(reason)
	}
}

// again starts what was asked for meanwhile, and says why the last incarnation ended where that was not said yet.
func (s *step) again(reason string) {
	if s.unsaid {
		s.record("restart", "%s; at once", reason)
	}
	s.Deaths = 0
	s.queue(reason)
}

// dead chooses when the next incarnation starts.
func (s *step) dead(reason string) {
	if !s.Executed.IsZero() && s.now.Sub(s.Executed) >= s.Config.Restart.StableAfter.Std() {
		s.Deaths = 0
	}
	s.Deaths++
	delay := s.delay()
	if delay == 0 {
		s.record("restart", "%s; at once", reason)
		s.queue(reason)
		return
	}
	s.record("restart", "%s; in %s, after %d quick deaths", reason, delay.Round(time.Millisecond), s.Deaths)
	s.enter(Waiting, s.now.Add(delay), reason)
}

// delay is 0 for the first death after a stable run, then Delay doubled for each further one, up to Cap, with jitter.
func (s *step) delay() time.Duration {
	if s.Deaths < 2 || s.Config.Restart.Delay == 0 {
		return 0
	}
	return s.backoff(s.Deaths - 2)
}

// backoff is Delay, doubled that often up to Cap, with jitter.
func (s *step) backoff(doublings int) time.Duration {
	r := s.Config.Restart
	limit := float64(r.Cap.Std())
	d := min(limit, math.Ldexp(float64(r.Delay.Std()), min(doublings, 100)))
	spread := float64(r.JitterPermille) / 1000 * (2*s.random() - 1)
	return time.Duration(min(limit, d*(1+spread)))
}

// random is uniform in [0, 1): splitmix64, by Steele, Lea and Flood (OOPSLA 2014).
func (s *step) random() float64 {
	s.generate += 0x9e3779b97f4a7c15
	z := s.generate
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}
