package simulate

import (
	"math"
	"time"

	"recipe/runtime/supervise"
)

// tree is an incarnation as the kernel knows it.
type tree struct {
	sv       *service
	number   uint64
	life     uint64 // of the supervisor that spawned it, which alone hears of it
	leader   bool
	others   int
	executed bool
	ready    bool // has come up: it serves, unless it hangs
	hung     bool
	deaf     bool          // ignores the stop signal
	slow     time.Duration // answers nothing until then
	frozen   time.Duration // is stopped by somebody until then, as the supervisor can see
	stuck    time.Duration // sleeps in the kernel: no signal reaches it until then
	killed   bool          // SIGKILL is on its way
	served   bool          // was ready once
}

const never = time.Duration(math.MaxInt64)

func (t *tree) alive() bool { return t.leader || t.others > 0 }

// responsive is from when on questions are answered; never while it hangs.
func (t *tree) responsive(now time.Duration) time.Duration {
	if !t.leader || !t.ready || t.hung {
		return never
	}
	return max(now, t.slow, t.frozen, t.sv.w.paused)
}

// spawn makes the tree of an incarnation: a launcher that prepares, then the daemon.
func (sv *service) spawn() {
	w := sv.w
	sv.number++
	for _, t := range sv.trees {
		if t.alive() {
			w.breaks("never two", "%s: incarnation %d is spawned while incarnation %d has a leader %t and %d more", sv.Name, sv.number, t.number, t.leader, t.others)
		}
	}
	sv.trees = sv.trees[:0]
	if reason := sv.unspawnable(); reason != "" {
		sv.pending = append(sv.pending, supervise.SpawnFailed{Reason: reason})
		return
	}
	t := &tree{sv: sv, number: sv.number, life: w.life, leader: true, deaf: w.now < sv.deaf, slow: sv.overloaded}
	sv.trees = append(sv.trees, t)
	sv.tree = t
	if w.now < w.diskFull {
		sv.meter.blame("disk full")
		w.after(w.nature.prepare.draw(sv.random), theirs, sv, func() {
			if t.leader {
				t.tell(supervise.NotSane{Reason: "no space left on the device"})
				w.after(5*time.Second, theirs, sv, func() { t.exit("exit code 100", false) })
			}
		})
		return
	}
	prepared := w.nature.prepare.draw(sv.random)
	if w.now < sv.hangsInPrepare {
		t.stuck = sv.hangsInPrepare
		prepared = t.stuck - w.now
	}
	w.after(prepared, theirs, sv, t.exec)
}

func (sv *service) unspawnable() string {
	if sv.w.now < sv.w.noSpawn {
		sv.meter.blame("no spawn")
		return "cannot start the launcher: resource temporarily unavailable"
	}
	return ""
}

// exec turns the launcher into the daemon.
func (t *tree) exec() {
	if !t.leader || t.killed {
		return
	}
	sv, w := t.sv, t.sv.w
	t.executed = true
	t.tell(supervise.Executed{})
	switch {
	case sv.task != nil:
		ok := sv.random.IntN(4) > 0
		w.after(w.nature.task.draw(sv.random), theirs, sv, func() {
			if !t.hung {
				t.exit(map[bool]string{true: "exit code 0", false: "exit code 1"}[ok], ok)
			}
		})
	case w.now < sv.forks:
		w.after(between(sv.random, time.Millisecond, 200*time.Millisecond), theirs, sv, func() {
			if t.leader && !t.killed {
				t.others++
			}
			t.exit("exit code 0", true)
		})
		return
	case w.now < sv.bad:
		sv.meter.blame("crash loop")
		w.after(w.nature.bad.draw(sv.random), theirs, sv, func() { t.exit("exit code 1", false) })
		return
	}
	up := w.nature.up.draw(sv.random)
	if w.now < sv.upLaterUntil {
		up = sv.upLater
	}
	w.after(up, theirs, sv, func() {
		t.ready, t.served = t.leader && !t.hung, true
		sv.wake()
	})
}

// exit ends the leader alone.
func (t *tree) exit(status string, ok bool) {
	if !t.leader || t.killed {
		return
	}
	if now := t.sv.w.now; now < t.stuck {
		t.sv.w.after(t.stuck-now, theirs, t.sv, func() { t.exit(status, ok) })
		return
	}
	t.leader = false
	t.sv.w.tracef("%s: incarnation %d: the leader is gone: %s; %d others", t.sv.Name, t.number, status, t.others)
	t.tell(supervise.Exited{Status: status, OK: ok})
}

// signal reaches a leader that listens.
func (t *tree) signal(string) {
	w := t.sv.w
	if !t.deaf && !t.hung {
		w.after(w.nature.end.draw(t.sv.random), theirs, t.sv, func() { t.exit("signal TERM", false) })
	}
}

// kill ends the whole tree, once nothing of it is stuck in the kernel, and then calls done.
func (t *tree) kill(done func(left int)) {
	sv, w := t.sv, t.sv.w
	t.killed = true
	took := between(sv.random, 100*time.Microsecond, 20*time.Millisecond)
	w.after(max(took, t.stuck-w.now), theirs, sv, func() {
		if w.now < t.stuck { // it went to sleep again meanwhile
			t.kill(done)
			return
		}
		left := t.others
		told := t.leader && sv.random.IntN(2) == 0
		t.leader, t.others, t.ready = false, 0, false
		w.tracef("%s: nothing is left of incarnation %d", sv.Name, t.number)
		if told { // the exit of a leader that was killed may be told before or after Emptied, or not at all
			t.tell(supervise.Exited{Status: "signal KILL"})
		}
		done(left)
	})
}

// tell has the supervisor hear of the incarnation. What is told of one comes in order.
func (t *tree) tell(e supervise.Event) {
	sv, w := t.sv, t.sv.w
	if t.life != w.life || !w.up {
		return
	}
	sv.heard = max(sv.heard, w.now+sv.latency())
	sv.post(sv.heard-w.now, message{event: e, incarnation: t.number})
}
