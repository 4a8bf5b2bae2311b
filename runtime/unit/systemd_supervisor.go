package unit

import (
	"strconv"
	"strings"

	"recipe/runtime/plan"
)

// Supervisor is the unit of a package whose services recipe itself supervises.
func Supervisor(p *plan.Plan) string { return p.Name + ".service" }

// Held is the file that keeps a whole package from being started, where recipe itself supervises it.
func Held(p *plan.Plan) string { return "/etc/" + p.Name + "/stopped" }

// Packaged is the plan as a package installs it.
func Packaged(p *plan.Plan) string { return "/usr/share/" + p.Name + "/plan.json" }

// SystemdSupervisor is NAME.service of such a package: one supervisor for all of the plan. It watches a copy of the plan, so
// that an upgrade takes effect when the package is configured, once, rather than when its files appear.
func SystemdSupervisor(p *plan.Plan) []byte {
	copied := "/run/recipe/plans/" + p.Name + ".json"
	var u text
	u.section("Unit")
	u.set("Description", escape(p.Package.Summary))
	if home := p.Package.Homepage; home != "" && !strings.ContainsAny(home, " \t") {
		u.set("Documentation", escape(home))
	}
	u.set("After", "network.target")
	u.set("ConditionPathExists", "!"+Held(p))
	u.set("StartLimitIntervalSec", "0")

	u.section("Service")
	u.set("Type", "notify")
	u.set("NotifyAccess", "main")
	u.set("ExecStartPre", "/usr/bin/install -D -m 0644 "+Packaged(p)+" "+copied)
	u.set("ExecStart", "/usr/bin/recipe run "+copied)
	u.set("ExecReload", "/usr/bin/recipe restart --supervisor "+p.Launches()[0].Name)
	u.set("SyslogIdentifier", "recipe-"+p.Name)
	u.set("Restart", "always")
	u.set("RestartSec", "100ms")
	u.set("WatchdogSec", "1m") // a host that is starved for that long has other troubles
	u.set("Delegate", "yes")
	// Should the supervisor be killed, its daemons stay, and the next one adopts them by what systemd keeps of each.
	u.set("KillMode", "process")
	u.set("FileDescriptorStoreMax", strconv.Itoa(kept(p)))
	u.set("Environment", "FDSTORE="+strconv.Itoa(kept(p)))
	u.set("ExecStopPost", stopPost)
	u.set("TimeoutStartSec", "15m") // each evaluation has ten from its begin
	u.set("TimeoutStopSec", span(patience(p)))
	u.set("TimeoutAbortSec", "10s")

	u.section("Install")
	u.set("WantedBy", "multi-user.target")
	return u.bytes()
}

// stopPost ends what is left where the supervisor itself had to be killed at a stop. Elsewhere it takes the controllers back, since
// systemd puts the next supervisor into a cgroup that may have no processes while it gives controllers to others.
const stopPost = `-/bin/sh -c 'case $$SERVICE_RESULT in timeout) exec /bin/systemctl kill --signal=KILL %n;; esac; ` +
	`IFS=: read -r id controllers group </proc/self/cgroup; ` +
	`for one in memory cpu pids; do echo -$$one >/sys/fs/cgroup$${group%%/.control}/cgroup.subtree_control; done 2>/dev/null'`

// kept is how many descriptors systemd has to keep: a record, a log and a notify socket of each service, and the sockets that it is handed.
func kept(p *plan.Plan) int {
	n := 0
	for _, s := range p.Launches() {
		n += 3 + len(s.Listen)
	}
	return n
}

// patience is what the supervisor needs to stop all services, one after another at worst, and what it takes besides.
func patience(p *plan.Plan) plan.Duration {
	total := plan.Duration(10_000)
	for _, s := range p.Launches() {
		total += s.Stop.Grace
	}
	return total
}
