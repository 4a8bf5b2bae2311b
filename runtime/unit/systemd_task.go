package unit

import (
	"fmt"
	"strings"

	"recipe/runtime/plan"
)

// TaskNames are the units of a task: the one that an admin starts, stops and enables, then for a periodic one the service
// that its timer runs.
func TaskNames(t *plan.Task) []string {
	if t.Every == 0 {
		return []string{t.Name + ".service"}
	}
	return []string{t.Name + ".timer", t.Name + ".service"}
}

// SystemdTask is TASK.service: one run, beside which systemd starts no other. A task that runs once stays active when it
// has succeeded, so that it is not run again before the next boot, and what it leaves behind stays as well.
func SystemdTask(p *plan.Plan, t *plan.Task) []byte {
	s := t.Launched()
	var u text
	u.section("Unit")
	u.set("Description", taskDescription(p, t))
	after := []string{"network.target"}
	for _, name := range t.After {
		after = append(after, name+".service")
	}
	u.set("After", strings.Join(after, " "))
	u.set("ConditionPathExists", "!"+StoppedTask(p, t))
	u.set("StartLimitIntervalSec", "0")

	u.section("Service")
	u.set("Type", "oneshot")
	for _, name := range t.After {
		if service := p.Service(name); service != nil && len(service.Asked()) > 0 {
			u.set("ExecStartPre", fmt.Sprintf("/bin/sh -c 'until %s once >/dev/null; do sleep 1; done'", Checker(p, service)))
		}
	}
	u.set("ExecStart", Launcher(s))
	u.set("SyslogIdentifier", "run-"+t.Name)
	if t.Every == 0 {
		u.set("RemainAfterExit", "yes")
	}
	if t.Every == 0 || t.Restart != nil {
		u.set("Restart", "on-failure")
		u.set("RestartSec", span(s.Restart.Delay))
	}
	u.set("TimeoutStartSec", span(t.Timeout))
	u.set("TimeoutStartFailureMode", "kill")
	u.stops(s)
	u.limits(s)
	if t.Every == 0 {
		u.section("Install")
		u.set("WantedBy", "multi-user.target")
	}
	return u.bytes()
}

// SystemdTimer is TASK.timer, or nothing for a task that runs once. systemd knows one random delay: with FixedRandomDelay it
// is the host's phase, and AccuracySec lets a run come later by the jitter. Both together stay below the interval, since
// the next time is counted from the last.
func SystemdTimer(p *plan.Plan, t *plan.Task) []byte {
	if t.Every == 0 {
		return nil
	}
	late := max(t.Jitter, min(1000, t.Every/20))
	var u text
	u.section("Unit")
	u.set("Description", "times of "+t.Name+".service")
	u.section("Timer")
	u.set("OnCalendar", t.Every.OnCalendar())
	u.set("RandomizedDelaySec", span(t.Every*9/10-late))
	u.set("FixedRandomDelay", "yes")
	u.set("AccuracySec", span(late))
	u.set("Persistent", "yes")
	u.section("Install")
	u.set("WantedBy", "timers.target")
	return u.bytes()
}

// StoppedTask is the file that keeps the task from being run: /etc/NAME/TASK.stopped.
func StoppedTask(p *plan.Plan, t *plan.Task) string {
	return "/etc/" + p.Name + "/" + t.Name + ".stopped"
}

func taskDescription(p *plan.Plan, t *plan.Task) string {
	if p.Package == nil {
		return t.Name
	}
	return escape(fmt.Sprintf("%s (%s)", p.Package.Summary, t.Name))
}
