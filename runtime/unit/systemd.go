package unit

import (
	"fmt"
	"strings"

	"recipe/runtime/plan"
)

// Systemd is SERVICE.service. The design's growing delay is a fixed one here: RestartSteps= came with systemd 254, and
// older ones warn of it at every load. What grows is the pause that run-SERVICE makes when the environment is not sane.
func Systemd(p *plan.Plan, s *plan.Service) ([]byte, error) {
	if err := clash(p, s); err != nil {
		return nil, err
	}
	var u text
	u.section("Unit")
	u.set("Description", description(p, s))
	if p.Package != nil && p.Package.Homepage != "" && !strings.ContainsAny(p.Package.Homepage, " \t") {
		u.set("Documentation", escape(p.Package.Homepage))
	}
	after := []string{"network.target"}
	for _, name := range s.After {
		after = append(after, name+".service")
	}
	if len(s.Listen) > 0 {
		after = append(after, s.Name+".socket")
		u.set("Requires", s.Name+".socket")
	}
	u.set("After", strings.Join(after, " "))
	if len(s.Asked()) > 0 {
		u.set("Wants", s.Name+"-check.service")
	}
	u.set("ConditionPathExists", "!"+Stopped(p, s))
	u.set("StartLimitIntervalSec", "0")

	u.section("Service")
	if err := u.notifies(s); err != nil {
		return nil, err
	}
	u.set("ExecStart", Launcher(s))
	u.set("SyslogIdentifier", "run-"+s.Name)
	u.set("Restart", "always")
	u.set("RestartSec", span(s.Restart.Delay))
	u.stops(s)
	u.limits(s)

	u.section("Install")
	u.set("WantedBy", "multi-user.target")
	return u.bytes(), nil
}

// stops says how the tree is ended.
func (t *text) stops(s *plan.Service) {
	t.set("KillSignal", "SIG"+s.Stop.Signal)
	t.set("KillMode", "mixed")
	t.set("SendSIGKILL", "yes")
	// 0 would mean for ever.
	t.set("TimeoutStopSec", span(max(s.Stop.Grace, 1)))
}

func (t *text) limits(s *plan.Service) {
	if l := s.Logs; l.Rate > 0 { // the journal counts by intervals
		t.set("LogRateLimitIntervalSec", fmt.Sprintf("%dms", max(1, int64(l.Burst)*1000/int64(l.Rate))))
		t.set("LogRateLimitBurst", fmt.Sprint(l.Burst))
	}
	// What run-SERVICE sets itself is not said here: it would bind what prepares as well.
	if s.Limits.NoFile != 0 {
		t.set("LimitNOFILE", fmt.Sprint(s.Limits.NoFile))
	}
	if s.Limits.Memory != 0 {
		t.set("MemoryMax", fmt.Sprint(int64(s.Limits.Memory)))
	}
	if s.Limits.CPU != 0 {
		t.set("CPUQuota", fmt.Sprintf("%d%%", s.Limits.CPU))
	}
	if s.Limits.PIDs != 0 {
		t.set("TasksMax", fmt.Sprint(s.Limits.PIDs))
	}
	if s.Limits.OOMScoreAdj != nil {
		t.set("OOMScoreAdjust", fmt.Sprint(*s.Limits.OOMScoreAdj))
	}
}

// SystemdCheck is SERVICE-check.service, or nothing for a service without probes. It is bound to the service and wanted
// by it, so each incarnation has a check of its own, whose counts begin anew.
func SystemdCheck(p *plan.Plan, s *plan.Service) ([]byte, error) {
	if len(s.Asked()) == 0 {
		return nil, nil
	}
	if err := clash(p, s); err != nil {
		return nil, err
	}
	service := s.Name + ".service"
	var u text
	u.section("Unit")
	u.set("Description", "probes of "+service)
	u.set("BindsTo", service)
	u.set("After", service)
	u.set("StartLimitIntervalSec", "0")
	u.section("Service")
	u.set("Type", "exec")
	u.set("ExecStart", Checker(p, s))
	u.set("SyslogIdentifier", "check-"+s.Name)
	u.set("Restart", "always")
	u.set("RestartSec", "1s")
	u.set("TimeoutStopSec", "5s")
	return u.bytes(), nil
}

func description(p *plan.Plan, s *plan.Service) string {
	if p.Package == nil {
		return s.Name
	}
	if len(p.Services) == 1 {
		return escape(p.Package.Summary)
	}
	return escape(fmt.Sprintf("%s (%s)", p.Package.Summary, s.Name))
}

// text is a unit file in the making. Names of services, and paths made of them, hold nothing that systemd expands.
type text struct{ b strings.Builder }

func (t *text) section(name string) {
	if t.b.Len() > 0 {
		t.b.WriteByte('\n')
	}
	t.b.WriteString("[" + name + "]\n")
}

func (t *text) set(key, value string) { t.b.WriteString(key + "=" + value + "\n") }

func (t *text) bytes() []byte { return []byte(t.b.String()) }

// escape makes free text safe behind a key: % begins a specifier, a backslash at the end would join the next line, and
// control characters are none of a unit's business.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	s = strings.ReplaceAll(strings.TrimSpace(s), "%", "%%")
	if strings.HasSuffix(s, `\`) {
		s += "."
	}
	return s
}

// span writes a time as systemd reads it.
func span(d plan.Duration) string { return d.String() }
