// Package simulate lives through years of a host in seconds: the machines of package supervise in a world that is made up,
// clocks, kernel, processes, probes, disk, admins, recipes and supervisors.
//
// A world is a queue of happenings in the order of their times: what nothing happens in costs nothing, and probes rest
// while another answer would change nothing. All of it follows from a seed and a list of Faults; nothing here reads a
// clock. What package supervise says of its driver is what service.go, kernel.go and probe.go keep, and no more than that:
// messages come late, timers early, answers are lost.
//
// After every step rules.go holds the machine to what was told to it and to what the kernel holds: never two; stopped means
// empty; something is always on its way; no kill without as many failures in a row as the recipe says, and none for a stall
// of ours; every end recorded; an admin's word kept over supervisors; delays as the recipe has them, and never beyond the
// cap.
//
// Tests: 150 daemon-years of the worst (TestSimulation; a failure is shrunk to the few faults that it takes, and its seed
// replays it), and mutants of the machine, each with a rule of it broken, which the simulation has to find.
package simulate

// newWorld sets a host up, with a supervisor that begins at once.
func newWorld(services []Service, n nature, seed uint64) *world {
	w := &world{instant: oneClock, nature: n, seed: seed, starts: 4} // as with two CPUs
	for _, s := range services {
		w.services = append(w.services, &service{Service: s, w: w, present: true})
	}
	w.reseed(0, w.services)
	w.after(0, oursAnyway, nil, w.boot)
	return w
}
