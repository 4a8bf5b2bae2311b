package plan

import (
	"fmt"

	"recipe/runtime/expr"
)

// Task is a command that is run, ends, and is run again: once each time its supervisor or host starts where Every is 0,
// and otherwise once in every interval of that length, at a phase that is the host's own, at most Jitter later. Timeout
// bounds a run with its preparation. Restart, where it is set, is how soon a run that failed is tried again.
type Task struct {
	Name    string      `json:"name"`
	User    string      `json:"user,omitempty"`
	Command []expr.Expr `json:"command"`
	Env     []Variable  `json:"env,omitempty"` // by name
	WorkDir expr.Expr   `json:"workdir,omitzero"`
	Umask   *Mode       `json:"umask,omitempty"`
	Prepare []Step      `json:"prepare,omitempty"`
	Every   Duration    `json:"every,omitempty"`
	Jitter  Duration    `json:"jitter,omitempty"`
	Timeout Duration    `json:"timeout"`
	Restart *Restart    `json:"restart,omitempty"`
	Limits  Limits      `json:"limits,omitzero"`
	Logs    Logs        `json:"logs"`
	After   []string    `json:"after,omitempty"` // services of the plan, which must be healthy
}

// DefaultRetry is how soon a task that runs once is tried again: after seconds at first, after minutes in the end.
func DefaultRetry() Restart {
	return Restart{Delay: 1000, Cap: 300_000, JitterPermille: 200, StableAfter: 60_000}
}

// Launched is the task as launchers know it: a service that is not asked how it is.
func (t *Task) Launched() *Service {
	s := &Service{
		Name: t.Name, User: t.User, Command: t.Command, Env: t.Env, WorkDir: t.WorkDir, Umask: t.Umask, Prepare: t.Prepare,
		Restart: DefaultRetry(), Stop: DefaultStop(), Limits: t.Limits, Logs: t.Logs, After: t.After,
	}
	if t.Restart != nil {
		s.Restart = *t.Restart
	}
	return s
}

// Task returns the task of that name, or nil.
func (p *Plan) Task(name string) *Task {
	for i := range p.Tasks {
		if p.Tasks[i].Name == name {
			return &p.Tasks[i]
		}
	}
	return nil
}

// Launches are what the plan has launchers for: its services, then its tasks.
func (p *Plan) Launches() []*Service {
	all := make([]*Service, 0, len(p.Services)+len(p.Tasks))
	for i := range p.Services {
		all = append(all, &p.Services[i])
	}
	for i := range p.Tasks {
		all = append(all, p.Tasks[i].Launched())
	}
	return all
}

// Launch returns what Launches has under that name, or nil.
func (p *Plan) Launch(name string) *Service {
	if t := p.Task(name); t != nil {
		return t.Launched()
	}
	return p.Service(name)
}

// A periodic task falls into the slots of a calendar, so that an init's timers and a supervisor mean the same by it.
const (
	second = 1000 // ms
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
	week   = 7 * day
)

// CalendarSlots reports whether slots of that length fill a minute, an hour, a day or a week.
func (d Duration) CalendarSlots() bool {
	switch {
	case d < second:
		return false
	case d < minute:
		return d%second == 0 && minute%d == 0
	case d < hour:
		return d%minute == 0 && hour%d == 0
	case d < day:
		return d%hour == 0 && day%d == 0
	}
	return d == day || d == week
}

// nearestSlots is the shortest interval that CalendarSlots takes and that is not shorter, or a week.
func nearestSlots(d Duration) Duration {
	for _, unit := range []Duration{second, minute, hour} {
		for n := Duration(1); n <= 60; n++ {
			if slot := n * unit; slot >= d && slot.CalendarSlots() {
				return slot
			}
		}
	}
	if d <= day {
		return day
	}
	return week
}

func (c *checker) tasks() {
	seen := map[string]string{}
	for i := range c.plan.Services {
		seen[c.plan.Services[i].Name] = fmt.Sprintf("services[%d].name", i)
	}
	for i := range c.plan.Tasks {
		t := &c.plan.Tasks[i]
		at := fmt.Sprintf("tasks[%d]", i)
		c.name(at+".name", t.Name)
		c.unique(at+".name", "service or task", t.Name, seen)
		c.task(at, t)
	}
}

func (c *checker) task(at string, t *Task) {
	c.launched(at, t.Launched())
	c.schedule(at, t)
	c.between(at+".timeout", int64(t.Timeout), second, week, showDuration)
	if t.Restart != nil {
		c.delays(at+".restart", *t.Restart)
	}
	for j, name := range t.After {
		if c.plan.Service(name) == nil {
			problem := Problem{Path: fmt.Sprintf("%s.after[%d]", at, j), Code: CodeUndeclared, Message: fmt.Sprintf("the service %q is not declared", name)}
			if c.plan.Task(name) != nil {
				problem.Message = fmt.Sprintf("%q is a task, and a task comes after services", name)
				problem.Hint = "what has to be done before is a prepare step of this task"
			}
			c.report(problem)
		}
	}
}

// schedule holds a periodic task to the calendar. A jitter of more than half an interval would push runs into the next.
func (c *checker) schedule(at string, t *Task) {
	switch {
	case t.Every == 0 && t.Jitter != 0:
		c.report(Problem{Path: at + ".jitter", Code: CodeKind, Message: "a task that runs once has no jitter", Hint: `every = "1h" makes it periodic`})
	case t.Every != 0 && !t.Every.CalendarSlots():
		c.report(Problem{Path: at + ".every", Code: CodeRange, Message: "the interval does not fill a minute, an hour or a day, so that its times would move about the clock",
			Found: t.Every.String(), Accepted: "a part of a minute, an hour or a day, as 30s, 15m or 6h; 1d; 7d", Hint: fmt.Sprintf("every = %q", nearestSlots(t.Every).String())})
	case t.Every != 0:
		c.between(at+".jitter", int64(t.Jitter), 0, int64(t.Every)/2, showDuration)
	}
}

// OnCalendar is the interval as a systemd timer counts it, in UTC.
func (d Duration) OnCalendar() string {
	switch {
	case d < minute:
		return fmt.Sprintf("*-*-* *:*:00/%d UTC", d/second)
	case d < hour:
		return fmt.Sprintf("*-*-* *:00/%d:00 UTC", d/minute)
	case d < day:
		return fmt.Sprintf("*-*-* 00/%d:00:00 UTC", d/hour)
	case d == day:
		return "*-*-* 00:00:00 UTC"
	}
	return "Thu *-*-* 00:00:00 UTC" // as the weeks of Unix time begin
}
