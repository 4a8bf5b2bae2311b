package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// probes finds services that nothing asks, and questions that are none. A task is asked nothing.
func (l *linter) probes(s part) {
	if s.kind == "service" && len(s.Probes) == 0 {
		l.find(plan.Problem{Path: s.at, Code: CodeNoProbe, Message: fmt.Sprintf("nothing asks service %q whether it works, so that a hang goes unnoticed", s.Name),
			Hint: `probes = [http(8080, "/healthz")], or tcp with an answer to expect`})
	}
	once := func(p plan.Probe) bool { return p.Heard() && p.Role != plan.RoleLiveness }
	if len(s.Probes) > 0 && !slices.ContainsFunc(s.Probes, func(p plan.Probe) bool { return !once(p) }) {
		l.find(plan.Problem{Path: s.at + ".probes", Code: CodeNoProbe, Message: fmt.Sprintf("service %q says once that it is ready, and nothing asks it from then on, so that a hang goes unnoticed", s.Name),
			Hint: `notify(role = "liveness", every = "30s") beside it, or http or tcp with an answer to expect`})
	}
	for i := range s.Probes {
		l.probe(fmt.Sprintf("%s.probes[%d]", s.at, i), &s.Probes[i])
	}
}

func (l *linter) probe(at string, p *plan.Probe) {
	if p.TCP != nil && p.TCP.ConnectOnly {
		l.find(plan.Problem{Path: at + ".tcp.connect_only", Code: CodeConnectOnly, Message: "a connection is no answer: the kernel accepts it for a daemon that hangs",
			Hint: "send something and expect an answer, if the protocol has one"})
	}
	if socket, ok := p.Endpoint(); ok && socket.TLS != nil && socket.TLS.Insecure {
		kind := "tcp"
		if p.HTTP != nil {
			kind = "http"
		}
		l.find(plan.Problem{Path: at + "." + kind + ".tls.insecure", Code: CodeInsecure, Message: "any certificate will do for this probe, also one that has expired and that clients refuse",
			Hint: `ca = "/etc/foo/ca.pem" trusts an authority of your own, server_name = "foo.example.org" says whom the certificate is for`})
	}
	if p.Exec != nil {
		if what := asksOthers(words(p.Exec.Command)); what != "" {
			l.find(plan.Problem{Path: at + ".exec.command", Code: CodeAsksOthers, Found: what, Message: "this asks others about the service, and they say of one that hangs what they say of one that works",
				Hint: `ask the service itself: http, tcp with an answer to expect, or a command of its own such as "redis-cli ping"`})
		}
	}
	if p.Timeout >= p.Every && !p.Heard() {
		l.find(plan.Problem{Path: at + ".timeout", Code: CodeTimeout, Found: expr.FormatDuration(int64(p.Timeout)) + " of " + expr.FormatDuration(int64(p.Every)),
			Message: "an answer may take longer than it is until the next question, so that a slow daemon is asked without a pause", Hint: "a timeout below every, or a greater every"})
	}
}

// hearsay are programs that tell of processes and sockets, which a hung daemon has as well as a healthy one.
var hearsay = []string{"pgrep", "pidof", "ps", "netstat", "ss", "lsof", "fuser", "kill", "killall", "pkill", "top", "monit", "supervisorctl", "initctl", "status"}

// states are the questions of systemctl.
var states = []string{"is-active", "is-failed", "status", "show"}

// system are the folders of a host's own programs: one of the same name elsewhere is another.
var system = []string{".", "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"}

// asksOthers names what a command asks instead of the service, or "". A shell's words count as the command's own.
func asksOthers(command []string) string {
	all, shell := command, readByShell(command)
	if shell {
		all = nil
		for _, w := range command {
			all = append(all, strings.Fields(shellText.Replace(w))...)
		}
	}
	for k, w := range all {
		if strings.HasSuffix(w, ".pid") {
			return "a pidfile"
		}
		if k > 0 && !(shell && beginsCommand(all[k-1], k)) {
			continue
		}
		rest := all[k+1:]
		switch program := path.Base(w); {
		case path.Dir(w) == "/etc/init.d" && slices.Contains(rest, "status"):
			return w + " status"
		case !slices.Contains(system, path.Dir(w)):
		case slices.Contains(hearsay, program):
			return strings.Join(append([]string{program}, rest[:min(1, len(rest))]...), " ")
		case program == "systemctl":
			if i := slices.IndexFunc(rest, func(a string) bool { return slices.Contains(states, a) }); i >= 0 {
				return program + " " + rest[i]
			}
		case (program == "service" || program == "rc-service") && slices.Contains(rest, "status"):
			return program + " status"
		}
	}
	return ""
}

// shellText sets the signs of a shell apart from the words beside them.
var shellText = strings.NewReplacer(`"`, " ", "'", " ", "$(", " ( ", "(", " ( ", ")", " ) ", "`", " ` ", "|", " | ", "&", " & ", ";", " ; ", "[", " [ ", "\n", " ; ")
