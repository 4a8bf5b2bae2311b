package driver

import (
	"encoding/binary"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

// task is what a task under way has beyond a service. It belongs to the service's goroutine.
type task struct {
	machine supervise.Task
	alarm   *alarm
	runs    history
}

// newTask makes a task whose alarm calls ring.
func newTask(stateDir string, t *plan.Task, seed uint64, ring func()) (*task, error) {
	alarm, err := newAlarm(ring)
	if err != nil {
		return nil, err
	}
	runs := readHistory(stateDir, t.Name)
	return &task{machine: supervise.NewTask(taskConfig(t), seed, runs.last()), alarm: alarm, runs: runs}, nil
}

func (t *task) status(spec *plan.Task) *control.Task {
	status := &control.Task{Runs: slices.Clone(t.runs.Runs)}
	if spec.Every > 0 {
		status.Every = spec.Every.String()
	}
	return status
}

func taskConfig(t *plan.Task) supervise.TaskConfig {
	launched := t.Launched()
	config := supervise.TaskConfig{
		Every: t.Every.Std(), Jitter: t.Jitter.Std(), Timeout: t.Timeout.Std(), Phase: phase(machineID(), t.Name, t.Every.Std()),
		Restart: t.Restart, Stop: launched.Stop,
	}
	if config.Every == 0 {
		config.Restart = &launched.Restart
	}
	return config
}

// phase spreads hosts, and the tasks of one, over the interval: the same at every start, another on every machine.
func phase(machine, name string, every time.Duration) time.Duration {
	if every <= 0 {
		return 0
	}
	sum := fnv.New128a()
	sum.Write([]byte(machine + "/" + name))
	return time.Duration(binary.BigEndian.Uint64(sum.Sum(nil)) % uint64(every))
}

// machineID is what tells this host from its clones: the ID that systemd and dbus give it, else its name.
func machineID() string {
	for _, file := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if id, err := os.ReadFile(file); err == nil && len(id) > 0 {
			return strings.TrimSpace(string(id))
		}
	}
	name, _ := os.Hostname()
	return name
}

// forTask leaves of what a change would do to a service what it does to a task: one that runs once is run again when what
// it is started with has changed; a periodic one shows the change at its next time.
func forTask(t *plan.Task, events []supervise.Event) []supervise.Event {
	return slices.DeleteFunc(events, func(e supervise.Event) bool {
		_, restart := e.(supervise.Restart)
		return !restart || t.Every > 0
	})
}

// configure is the event by which the machine learns of a new definition.
func (sv *service) configure(d *definition) supervise.Event {
	if sv.task != nil {
		return supervise.ConfigureTask{Config: taskConfig(d.task)}
	}
	return supervise.Configure{Config: supervise.ConfigOf(d.spec)}
}

// begins notes a run on the disk before it is spawned, so that one that a crash cuts short is not forgotten.
func (sv *service) begins() {
	if sv.task == nil {
		return
	}
	sv.task.runs.add(control.Run{Began: time.Now().UTC().Truncate(time.Millisecond)})
	sv.saveRuns()
}

// ran notes how a run ended.
func (sv *service) ran(e supervise.Ran) {
	sv.tally.ran(e.OK)
	sv.task.runs.end(time.Now().UTC().Truncate(time.Millisecond), e, sv.log.LastWords())
	sv.saveRuns()
}

func (sv *service) saveRuns() {
	if err := sv.task.runs.write(sv.sup.options.StateDir, sv.name); err != nil {
		sv.decide("history", err.Error())
	}
}
