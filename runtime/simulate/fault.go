package simulate

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

// Fault is something that befalls a service or the host, or that somebody does.
type Fault struct {
	At      time.Duration // since the host was set up
	What    string        // a key of kinds
	Service int           // index; 0 for what befalls the host
	For     time.Duration // how long it lasts, where it lasts
}

// kinds are all that can befall, by what it is called.
var kinds = map[string]func(w *world, sv *service, d time.Duration){
	// of the daemon
	"crash":      func(_ *world, sv *service, _ time.Duration) { sv.crash("signal SEGV", false) },
	"exit 0":     func(_ *world, sv *service, _ time.Duration) { sv.crash("exit code 0", true) },
	"crash loop": func(w *world, sv *service, d time.Duration) { sv.bad = w.now + d; sv.crash("exit code 1", false) },
	"fork away":  func(w *world, sv *service, d time.Duration) { sv.forks = w.now + d; sv.crash("exit code 0", true) },
	"hang":       func(_ *world, sv *service, _ time.Duration) { sv.hang() },
	"slow": func(w *world, sv *service, d time.Duration) {
		sv.overloaded = w.now + d // which a restart does not end
		sv.slow(func(t *tree) { t.slow = w.now + d }, d)
	},
	"frozen": func(w *world, sv *service, d time.Duration) { sv.slow(func(t *tree) { t.frozen = w.now + d }, d) },
	"long recovery": func(w *world, sv *service, d time.Duration) {
		sv.upLater, sv.upLaterUntil = d, w.now+3*d+10*time.Minute
		sv.crash("signal KILL", false)
	},
	"slow start": func(w *world, sv *service, d time.Duration) { sv.upLater, sv.upLaterUntil = d, w.now+d },
	"ignores stop": func(w *world, sv *service, d time.Duration) {
		sv.deaf = w.now + d
		sv.strike(func(t *tree) { t.deaf = true })
	},
	"stuck": func(w *world, sv *service, d time.Duration) {
		sv.strike(func(t *tree) { t.stuck, t.hung = w.now+d, true })
	},
	"grandchild":    func(_ *world, sv *service, _ time.Duration) { sv.strike(func(t *tree) { t.others++ }) },
	"stuck prepare": func(w *world, sv *service, d time.Duration) { sv.hangsInPrepare = w.now + d },

	"asks for time": func(_ *world, sv *service, d time.Duration) {
		sv.strike(func(t *tree) {
			if sv.task == nil { // tasks are not heard
				t.tell(supervise.Extend{By: d})
			}
		})
	},
	"leaves": func(w *world, sv *service, _ time.Duration) {
		sv.strike(func(t *tree) {
			if sv.task == nil && t.executed {
				t.tell(supervise.Leaving{})
				t.signal("")
			}
		})
	},
	"says it hangs": func(_ *world, sv *service, _ time.Duration) { sv.saysItHangs() },

	// of the host
	"disk full":  func(w *world, _ *service, d time.Duration) { w.diskFull = w.now + d },
	"no spawn":   func(w *world, _ *service, d time.Duration) { w.noSpawn = w.now + d },
	"late":       func(w *world, _ *service, d time.Duration) { w.late = w.now + d; w.wakeAll(false) },
	"stall":      func(w *world, _ *service, d time.Duration) { w.wakeAll(true); w.stall(&w.stalled, d) },
	"pause":      func(w *world, _ *service, d time.Duration) { w.wakeAll(true); w.stall(&w.paused, d) },
	"clock on":   func(w *world, _ *service, d time.Duration) { w.setClock(d) },
	"clock back": func(w *world, _ *service, d time.Duration) { w.setClock(-d) },
	"reboot":     func(w *world, _ *service, d time.Duration) { w.reboot(d) },

	// of the supervisor
	"supervisor killed": func(w *world, _ *service, d time.Duration) { w.die(d) },
	"upgrade":           func(w *world, _ *service, _ time.Duration) { w.upgrade() },
	"handed on":         func(w *world, _ *service, d time.Duration) { w.handOn(d) },
	"remove":            func(_ *world, sv *service, d time.Duration) { sv.ask(func() { sv.remove(d) }) },
	"change":            func(_ *world, sv *service, d time.Duration) { sv.ask(func() { sv.change(d) }) },
	"reload": func(_ *world, sv *service, _ time.Duration) {
		if sv.task == nil { // a task shows the change at its next run
			sv.told(supervise.Reload{Signal: "HUP", Why: "a flag changed"})
		}
	},
	"restart anew": func(_ *world, sv *service, _ time.Duration) { sv.told(supervise.Restart{Why: "the recipe changed"}) },

	// of admins
	"stop": func(_ *world, sv *service, d time.Duration) {
		sv.adminStop()
		sv.w.after(d, outside, sv, sv.adminStart)
	},
	"start":         func(w *world, sv *service, _ time.Duration) { sv.adminStart() },
	"stop for good": func(_ *world, sv *service, _ time.Duration) { sv.adminStop() },
	"restart":       func(_ *world, sv *service, _ time.Duration) { sv.told(supervise.Restart{Why: "an admin"}) },
	"hasten":        func(_ *world, sv *service, _ time.Duration) { sv.told(supervise.Hasten{Why: "asked twice to end"}) },
}

// hostWide are the kinds that befall all services.
var hostWide = map[string]bool{
	"disk full": true, "no spawn": true, "late": true, "stall": true, "pause": true, "clock on": true, "clock back": true,
	"reboot": true, "supervisor killed": true, "upgrade": true, "handed on": true,
}

func (f Fault) String() string {
	text := fmt.Sprintf("%s %q service %d", f.At, f.What, f.Service)
	if f.For > 0 {
		text += fmt.Sprintf(" for %s", f.For)
	}
	return text
}

// schedule has the faults happen at their times.
func (w *world) schedule(faults []Fault) {
	for _, f := range faults {
		sv := w.services[f.Service]
		concerns := sv
		if hostWide[f.What] {
			concerns = nil
		}
		w.put(&happening{at: f.At, whose: outside, sv: concerns, do: func() { w.befall(f, sv) }})
	}
}

func (w *world) befall(f Fault, sv *service) {
	w.tracef("%s: %s", sv.Name, f.What)
	struck := []*service{sv}
	if hostWide[f.What] {
		struck = w.services
	}
	w.reseed(uint64(f.At), struck)
	for _, sv := range struck {
		sv.cause = f.What
	}
	kinds[f.What](w, sv, f.For)
}

// reseed makes what follows depend on little of what came before, and on nothing that befell other services, so that a fault
// that is left out changes little of what the others do.
func (w *world) reseed(fault uint64, struck []*service) {
	for _, sv := range struck {
		name := fnv.New64a()
		name.Write([]byte(sv.Name))
		sv.random = rand.New(rand.NewPCG(w.seed^fault, name.Sum64()))
	}
}

// strike does something to the daemon that runs.
func (sv *service) strike(do func(*tree)) {
	if t := sv.living(); t != nil {
		do(t)
		sv.wake()
	}
}

// slow is a strike that passes.
func (sv *service) slow(do func(*tree), d time.Duration) {
	sv.strike(do)
	sv.w.after(d, outside, sv, sv.wake)
}

// hang lasts until somebody ends it.
func (sv *service) hang() {
	sv.strike(func(t *tree) {
		t.hung = true
		if noticed := sv.w.nature.noticed; noticed.most > 0 {
			sv.w.after(noticed.draw(sv.random), outside, sv, func() {
				if t.leader {
					sv.told(supervise.Restart{Why: "an admin"})
				}
			})
		}
	})
}

// saysItHangs has a daemon tell so itself, where it is heard.
func (sv *service) saysItHangs() {
	for _, a := range sv.asking {
		if a.probe.Notify != nil && a.probe.Role == plan.RoleLiveness {
			a.t.hung = true
			a.says(supervise.Answer{Hung: true, Detail: "it says so"})
		}
	}
}

func (sv *service) crash(status string, ok bool) {
	sv.strike(func(t *tree) { t.exit(status, ok) })
}

// living is the tree whose leader lives.
func (sv *service) living() *tree {
	for _, t := range sv.trees {
		if t.leader {
			return t
		}
	}
	return nil
}

// wakeAll has probes asked again. asking is set where some are to be asked right now, so that what comes catches them in
// the middle of an exchange.
func (w *world) wakeAll(asking bool) {
	for _, sv := range w.services {
		for _, a := range sv.asking {
			if asking && a.resting && sv.random.IntN(2) == 0 {
				a.next = w.now
			}
		}
		sv.wake()
	}
}

func (w *world) stall(until *time.Duration, d time.Duration) {
	w.after(0, outside, nil, func() { *until = max(*until, w.now+d) })
	w.after(d, outside, nil, func() {}) // measured
}

// setClock moves the wall clock. Alarms of tasks go off then.
func (w *world) setClock(d time.Duration) {
	w.skew += d
	for _, sv := range w.services {
		if sv.task != nil && w.up && sv.present {
			sv.post(sv.latency(), message{event: supervise.Timer{}})
		}
	}
}

// ask is a request to the supervisor, which is lost if there is none, or if it dies before it has heard it.
func (sv *service) ask(do func()) {
	sv.w.after(sv.latency(), ours, sv, func() {
		if sv.usable() {
			do()
		}
	})
}

func (sv *service) told(e supervise.Event) { sv.ask(func() { sv.order(e) }) }

// adminStop is refused where it cannot be noted.
func (sv *service) adminStop() {
	sv.ask(func() {
		if sv.w.now >= sv.w.diskFull {
			sv.noted = true
			sv.order(supervise.Stop{Why: "stopped by an admin"})
		}
	})
}

func (sv *service) adminStart() {
	sv.ask(func() {
		sv.noted = false
		if sv.task != nil {
			sv.order(supervise.RunNow{Why: "an admin"})
			return
		}
		sv.order(supervise.Start{Why: "an admin"})
	})
}

// change gives the service other delays, probes and times. d chooses which.
func (sv *service) change(d time.Duration) {
	if sv.task != nil {
		task := *sv.Task
		task.Timeout = []time.Duration{sv.Task.Timeout, time.Minute, time.Second}[d%3]
		task.Every = []time.Duration{sv.Task.Every, time.Hour, 10 * time.Minute, 0}[d%4]
		if task.Every > 0 {
			task.Phase %= task.Every
		} else if task.Restart == nil {
			task.Phase, task.Restart = 0, &plan.Restart{Delay: 1000, Cap: 60_000}
		}
		if task.Restart != nil && d%3 == 1 {
			less := *task.Restart
			less.Cap /= 8
			task.Restart = &less
		}
		sv.order(supervise.ConfigureTask{Config: task})
		return
	}
	config := sv.Config
	switch d % 4 {
	case 1:
		config.Restart.Cap = max(config.Restart.Delay, config.Restart.Cap/4)
	case 2:
		config.Probes = nil
	case 3:
		config.Probes = append([]plan.Probe(nil), config.Probes...)
		for i := range config.Probes {
			config.Probes[i].Failures++
			config.Probes[i].Every *= 2
		}
		config.Stop.Grace /= 2
	}
	sv.order(supervise.Configure{Config: config})
}
