package supervise

import "time"

// Carried is a Machine as one supervisor hands it to its successor, without its Config, which the plan tells. Every field
// of Machine is in it.
type Carried struct {
	State       State          `json:"state"`
	Wanted      bool           `json:"wanted,omitempty"`
	Due         Moment         `json:"due,omitzero"`
	Reason      string         `json:"reason,omitempty"`
	Deaths      int            `json:"deaths,omitempty"`
	Restarts    int            `json:"restarts,omitempty"`
	Executed    Moment         `json:"executed,omitzero"`
	Healthy     bool           `json:"healthy,omitempty"`
	EverHealthy bool           `json:"ever_healthy,omitempty"`
	Probes      []CarriedProbe `json:"probes,omitempty"`
	Spawned     bool           `json:"spawned,omitempty"`
	Ending      string         `json:"ending,omitempty"`
	Unsaid      bool           `json:"unsaid,omitempty"`
	Insane      string         `json:"insane,omitempty"`
	AtOnce      bool           `json:"at_once,omitempty"`
	Extended    Moment         `json:"extended,omitzero"`
	Parting     Moment         `json:"parting,omitzero"`
	Unasked     bool           `json:"unasked,omitempty"`
	Inherited   bool           `json:"inherited,omitempty"`
	Generate    uint64         `json:"generate"`
}

// CarriedProbe has the fields of a probeState.
type CarriedProbe struct {
	Answered  bool   `json:"answered,omitempty"`
	Successes int    `json:"successes,omitempty"`
	Failures  int    `json:"failures,omitempty"`
	Paused    int    `json:"paused,omitempty"`
	Unwell    bool   `json:"unwell,omitempty"`
	Failing   Moment `json:"failing,omitzero"`
}

// CarriedTask is a Task so handed on, without its TaskConfig.
type CarriedTask struct {
	Machine   Carried `json:"machine"`
	Last      Moment  `json:"last,omitzero"`
	Began     Moment  `json:"began,omitzero"`
	Succeeded bool    `json:"succeeded,omitempty"`
}

// Moment is a time that outlives a process, and with it the monotonic clock that Go's times count by: After is how long it
// is after the handing on, in nanoseconds, where the time carried that clock. The zero value is the zero time.
type Moment struct {
	Wall  time.Time     `json:"wall"`
	Timed bool          `json:"timed,omitempty"`
	After time.Duration `json:"after,omitempty"`
}

func momentOf(t, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	m := Moment{Wall: t.Round(0).UTC(), Timed: t != t.Round(0)}
	if m.Timed {
		m.After = t.Sub(now)
	}
	return m
}

// time is the moment by the clock of the successor, where now is when it was handed on.
func (m Moment) time(now time.Time) time.Time {
	if m.Timed {
		return now.Add(m.After)
	}
	return m.Wall
}

// Carry hands the machine on at now.
func (m Machine) Carry(now time.Time) Carried {
	c := Carried{
		State: m.State, Wanted: m.Wanted, Due: momentOf(m.Due, now), Reason: m.Reason, Deaths: m.Deaths, Restarts: m.Restarts,
		Executed: momentOf(m.Executed, now), Healthy: m.Healthy, EverHealthy: m.EverHealthy, Spawned: m.spawned,
		Ending: m.ending, Unsaid: m.unsaid, Insane: m.insane, AtOnce: m.atOnce, Generate: m.generate,
		Extended: momentOf(m.extended, now), Parting: momentOf(m.parting, now), Unasked: m.unasked, Inherited: m.inherited,
	}
	for _, p := range m.probes {
		c.Probes = append(c.Probes, CarriedProbe{p.answered, p.successes, p.failures, p.paused, p.unwell, momentOf(p.failing, now)})
	}
	return c
}

// AskAnew forgets what was answered, where the probes are others by now, as Configure does.
func (c *Carried) AskAnew(probes int) {
	c.Probes = make([]CarriedProbe, probes)
	c.Healthy = probes == 0
	c.EverHealthy = c.Healthy
}

// Machine is what was handed on at now, a time of this process's clock.
func (c Carried) Machine(config Config, now time.Time) Machine {
	m := Machine{
		Config: config, State: c.State, Wanted: c.Wanted, Due: c.Due.time(now), Reason: c.Reason, Deaths: c.Deaths, Restarts: c.Restarts,
		Executed: c.Executed.time(now), Healthy: c.Healthy, EverHealthy: c.EverHealthy, spawned: c.Spawned,
		ending: c.Ending, unsaid: c.Unsaid, insane: c.Insane, atOnce: c.AtOnce, generate: c.Generate,
		extended: c.Extended.time(now), parting: c.Parting.time(now), unasked: c.Unasked, inherited: c.Inherited,
	}
	for _, p := range c.Probes {
		m.probes = append(m.probes, probeState{p.Answered, p.Successes, p.Failures, p.Paused, p.Unwell, p.Failing.time(now)})
	}
	return m
}

// Carry hands the task on at now.
func (t Task) Carry(now time.Time) CarriedTask {
	return CarriedTask{Machine: t.Machine.Carry(now), Last: momentOf(t.Last, now), Began: momentOf(t.began, now), Succeeded: t.succeeded}
}

// Task is what was handed on at now, a time of this process's clock.
func (c CarriedTask) Task(config TaskConfig, now time.Time) Task {
	t := Task{Machine: c.Machine.Machine(Config{}, now), Last: c.Last.time(now), began: c.Began.time(now), succeeded: c.Succeeded}
	t.take(config)
	return t
}
