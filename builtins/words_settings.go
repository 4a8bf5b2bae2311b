package builtins

import (
	"go.starlark.net/starlark"

	"recipe/runtime/plan"
)

func settingWords() []Word {
	service := func(setting string) string {
		return "service(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [http(8080)],\n        " + setting + ")"
	}
	return []Word{
		{
			Name: "restart", run: runRestart, Doc: "How soon a daemon that died is started again: at once after a stable run, then after delays that double up to a cap. It is never given up.",
			Example: service(`restart = restart(delay = "100ms", cap = "30s", jitter = 0.2, stable_after = "1m")`),
			Parameters: []Parameter{
				{Name: "delay", Type: durationType, Default: text("100ms"), Doc: "before the second restart in a row"},
				{Name: "cap", Type: durationType, Default: text("30s"), Doc: "which the delays do not exceed"},
				{Name: "jitter", Type: fractionType, Default: starlark.Float(0.2), Doc: "the part of a delay by which it is spread, either way"},
				{Name: "stable_after", Type: durationType, Default: text("1m"), Doc: "of running that forget the deaths before"},
			},
		},
		{
			Name: "stop", run: runStop, Doc: "How a daemon is asked to end. When the grace is over, its whole tree is killed.",
			Example: service(`stop = stop(signal = "TERM", grace = "10s")`),
			Parameters: []Parameter{
				{Name: "signal", Type: signalType, Default: text("TERM"), Doc: "that asks"},
				{Name: "grace", Type: durationType, Default: text("10s"), Doc: "to end in"},
			},
		},
		{
			Name: "limits", run: runLimits, Doc: "Bounds of one incarnation of a daemon. What is left out is as the host has it.",
			Example: service(`limits = limits(nofile = 65536, memory = "512MiB", cpu = 1.5, capabilities = ["net_bind_service"], oom_score_adj = -100)`),
			Parameters: []Parameter{
				{Name: "nofile", Type: intType, Doc: "open descriptors"},
				{Name: "memory", Type: sizeType, Doc: "of all its processes; needs a cgroup"},
				{Name: "cpu", Type: cpusType, Doc: "CPUs' worth of time for all its processes; needs a cgroup"},
				{Name: "pids", Type: intType, Doc: "processes and threads of it; needs a cgroup"},
				{Name: "nproc", Type: intType, Doc: "processes and threads that its user has on the host, unless that is root"},
				{Name: "core", Type: sizeType, Doc: "of a core dump, \"0B\" for none"},
				{Name: "stack", Type: sizeType, Doc: "of its main thread"},
				{Name: "fsize", Type: sizeType, Doc: "of a file that it writes"},
				{Name: "memlock", Type: sizeType, Doc: "of memory that it locks"},
				{Name: "nice", Type: intType, Doc: "from -20, preferred, to 19"},
				{Name: "ionice", Type: textType, Choices: plan.IOClasses()[1:], Doc: "the class of its input and output"},
				{Name: "ionice_level", Type: intType, Doc: "in the class, from 0, preferred, to 7; 4 unless given"},
				{Name: "capabilities", Type: textsType, Doc: "those of root's that it may have, without CAP_; an account is given them, and all others are taken for good"},
				{Name: "no_new_privs", Type: boolType, Default: no, Doc: "set-user-id programs give it nothing"},
				{Name: "oom_score_adj", Type: intType, Doc: "from -1000, killed last, to 1000"},
			},
		},
		{
			Name: "logs", run: runLogs, Doc: "How a daemon's output is kept.",
			Example: service(`logs = logs(size = "64MiB", keep = 30, max_age = "1d", compress = True)`),
			Parameters: []Parameter{
				{Name: "size", Type: sizeType, Default: text("64MiB"), Doc: "of one file"},
				{Name: "keep", Type: intType, Default: number(5), Doc: "files besides the one being written"},
				{Name: "max_age", Type: durationType, Doc: "after which a file is not written to any more, but the next one begun"},
				{Name: "compress", Type: boolType, Default: no, Doc: "gzip takes the older files, which `recipe logs` reads all the same"},
				{Name: "timestamps", Type: boolType, Default: no, Doc: "each line begins with the time at which the daemon wrote it, in UTC"},
				{Name: "format", Type: textType, Default: text("text"), Choices: []string{"text", "json"}, Doc: "of a line: as it was written, or an object of time, service and text"},
				{Name: "rate", Type: intType, Doc: "lines a second that are kept; what exceeds them is dropped, counted and said"},
				{Name: "burst", Type: intType, Doc: "lines at once that the rate lets through; five times the rate unless given"},
				{Name: "forward", Type: textType, Choices: plan.LogForwards(), Doc: "where lines go besides the file: to /dev/log, as syslog (RFC 3164, which every syslog daemon reads) or rfc5424, or to systemd's journald"},
			},
		},
		{
			Name: "signal", run: runSignal, Doc: "A signal, as what a changed flag sends to the daemon.",
			Example: "level = flag(\"log-level\", type = \"enum\", values = [\"info\", \"debug\"], default = \"info\", apply = signal(\"HUP\"))",
			Parameters: []Parameter{
				{Name: "name", Type: signalType, Required: true, Positional: true, Doc: "without SIG"},
			},
		},
	}
}
