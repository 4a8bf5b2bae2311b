package builtins

import (
	"go.starlark.net/starlark"

	"recipe/runtime/plan"
)

// text, number and no are defaults as a recipe writes them.
func text(s string) starlark.Value { return starlark.String(s) }
func number(n int) starlark.Value  { return starlark.MakeInt(n) }

const no = starlark.False

// Words returns the table of the language, in the order in which it is documented.
func Words() []Word {
	var all []Word
	for _, part := range [][]Word{declarations(), contents(), steps(), probes(), settingWords(), numbers()} {
		all = append(all, part...)
	}
	return all
}

func declarations() []Word {
	return []Word{
		{
			Name: "flag", Declares: true, run: runFlag,
			Doc:     "Declares a setting that an operator may change on a host, and returns its value, which is known only there.",
			Example: `port = flag("port", type = "port", default = 8080, help = "TCP port to serve on")`,
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Positional: true, Doc: "small letters, digits and '-'"},
				{Name: "type", Type: textType, Required: true, Choices: flagTypes(), Doc: "what it takes"},
				{Name: "default", Type: anyType, Required: true, Doc: "used unless the host says otherwise; may name host facts and flags declared before"},
				{Name: "help", Type: textType, Default: text(""), Doc: "one line for the operator"},
				{Name: "values", Type: textsType, Doc: "the choices of an enum"},
				{Name: "min", Type: anyType, Doc: "the least value of an int, port, size or duration"},
				{Name: "max", Type: anyType, Doc: "the greatest value"},
				{Name: "apply", Type: applyType, Default: text("restart"), Doc: "what a change does to a running service that uses the flag"},
			},
		},
		{
			Name: "account", Declares: true, run: runAccount,
			Doc:     "Declares a system user that the package creates, with a group of its own.",
			Example: `service(name = "foo", user = account("foo", home = "/var/lib/foo"), command = ["/usr/bin/foo"])`,
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Positional: true, Doc: "of the user"},
				{Name: "group", Type: textType, Doc: "its primary group; the user's name unless given"},
				{Name: "home", Type: pathType, Doc: "its home, a declared path"},
			},
		},
		{
			Name: "package", Declares: true, run: runPackage,
			Doc:     "Declares the package that brings files and services onto hosts.",
			Example: "package(name = \"foo\", version = \"1.4.2\", maintainer = \"Foo Team <foo@example.org>\", summary = \"serves foo\",\n        contents = [config(\"foo.conf\", \"/etc/foo/foo.conf\")])",
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Doc: "of the package, of its flags file and of its launcher"},
				{Name: "version", Type: textType, Required: true, Doc: "of the software"},
				{Name: "release", Type: intType, Default: number(1), Doc: "counts packages of the same version"},
				{Name: "license", Type: textType, Default: text(""), Doc: "an SPDX expression"},
				{Name: "maintainer", Type: textType, Required: true, Doc: "a name and an address: Foo Team <foo@example.org>"},
				{Name: "summary", Type: textType, Required: true, Doc: "one line"},
				{Name: "description", Type: textType, Default: text(""), Doc: "paragraphs"},
				{Name: "homepage", Type: textType, Default: text(""), Doc: "a URL"},
				{Name: "style", Type: textType, Default: text("full"), Choices: []string{"full"}, Doc: "full, the only one so far: installing starts the services"},
				{Name: "runtime", Type: textType, Default: text("standalone"), Choices: []string{"standalone"}, Doc: "standalone, the only one so far: hosts need nothing but the package"},
				{Name: "build", Type: buildType, Doc: "what makes the contents, run in the recipe's folder"},
				{Name: "contents", Type: contentsType, Doc: "the files of the package"},
				{Name: "depends", Type: textsType, Doc: "packages that must be there, as \"name\" or \"name (>= 1.2)\""},
			},
		},
		{
			Name: "service", Declares: true, run: runService,
			Doc:     "Declares a daemon that is kept running: started, probed, and started again whenever it dies or hangs.",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\", \"--foreground\"], probes = [http(8080, \"/healthz\")])",
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Doc: "unique in the recipe"},
				{Name: "user", Type: accountType, Doc: "who runs it; whoever starts it unless given"},
				{Name: "command", Type: commandType, Required: true, Doc: "an absolute path or a handle, then the arguments; the daemon stays in the foreground"},
				{Name: "env", Type: environType, Doc: "variables of the environment"},
				{Name: "prepare", Type: stepsType, Doc: "steps before each start"},
				{Name: "probes", Type: probesType, Doc: "questions that only a healthy daemon answers"},
				{Name: "restart", Type: restartType, Doc: "delays between starts"},
				{Name: "stop", Type: stopType, Doc: "how it is asked to end"},
				{Name: "limits", Type: limitsType, Doc: "bounds of one incarnation"},
				{Name: "logs", Type: logsType, Doc: "how much of its output is kept"},
				{Name: "after", Type: textsType, Doc: "services of the recipe that are started before it"},
			},
		},
	}
}

func flagTypes() []string {
	names := []string{}
	for _, t := range plan.FlagTypes() {
		names = append(names, string(t))
	}
	return names
}

// ownership is the parameters of what lies on a disk; otherwise is who owns it when nothing is said.
func ownership(mode int, otherwise string) []Parameter {
	return []Parameter{
		{Name: "mode", Type: modeType, Default: number(mode), Doc: "permission bits"},
		{Name: "owner", Type: accountType, Doc: "whose it is; " + otherwise},
		{Name: "group", Type: textType, Doc: "whose it is; " + otherwise},
	}
}

func contents() []Word {
	content := func(name, doc, example string) Word {
		return Word{Name: name, run: runContent, Doc: doc, Example: example, Parameters: append([]Parameter{
			{Name: "source", Type: textType, Required: true, Positional: true, Doc: "a path from the recipe's folder"},
			{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "where it lies on a host"},
		}, ownership(0o644, "root's unless given")...)}
	}
	return []Word{
		content("file", "A file of the package. Its handle is a path wherever one is wanted.", `food = file("dist/food", "/usr/lib/foo/bin/food", mode = 0o755)`),
		content("config", "A file of the package that is kept as edited when the package is upgraded.", `conf = config("foo.conf", "/etc/foo/foo.conf")`),
	}
}

func steps() []Word {
	return []Word{
		{
			Name: "directory", run: runDirectory, Doc: "A directory that is made before a start, with its parents; what is in it is left alone.",
			Example: `data = directory("/var/lib/foo", owner = "foo", mode = 0o750)`,
			Parameters: append([]Parameter{
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "absolute"},
			}, ownership(0o755, "left alone unless given")...),
		},
		{
			Name: "template", run: runTemplate, Doc: "A file that is written before a start, and again when a flag in it changes; each {} in the text is one of the values.",
			Example: "level = flag(\"log-level\", type = \"enum\", values = [\"info\", \"debug\"], default = \"info\", apply = signal(\"HUP\"))\nlive = template(\"/run/foo/live.conf\", \"log-level {}\\n\", level)",
			Parameters: append([]Parameter{
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "absolute"},
				{Name: "text", Type: templateType, Required: true, Positional: true, Doc: "what is written; {{ and }} stand for braces"},
				{Name: "args", Type: valueType, Rest: true, Doc: "a value for each {}"},
			}, ownership(0o644, "left alone unless given")...),
		},
		{
			Name: "run", run: runRun, Doc: "A command that must exit with 0: a prepare step, or a build step of the package.",
			Example: `step = run(["/usr/bin/foo", "--migrate"], timeout = "30s")`,
			Parameters: []Parameter{
				{Name: "command", Type: commandType, Required: true, Positional: true, Doc: "a program and its arguments; no shell reads them"},
				{Name: "timeout", Type: durationType, Default: text("10m"), Doc: "after which its whole tree is killed and the step has not succeeded"},
			},
		},
		{
			Name: "require_free_space", run: runRequireFreeSpace, Doc: "Refuses a start unless a file system has room.",
			Example: `step = require_free_space("/var/lib/foo", "1GiB")`,
			Parameters: []Parameter{
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "on the file system"},
				{Name: "size", Type: volumeType, Required: true, Positional: true, Doc: "that must be free"},
			},
		},
		{
			Name: "require_port_free", run: runRequirePortFree, Doc: "Refuses a start while some process listens on a TCP port.",
			Example: `step = require_port_free(8080)`,
			Parameters: []Parameter{
				{Name: "port", Type: portType, Required: true, Positional: true, Doc: "on any address"},
			},
		},
	}
}

func timings() []Parameter {
	return []Parameter{
		{Name: "host", Type: textType, Default: text("127.0.0.1"), Doc: "an address"},
		{Name: "every", Type: durationType, Default: text("10s"), Doc: "from one question to the next"},
		{Name: "timeout", Type: durationType, Default: text("2s"), Doc: "of the whole exchange"},
		{Name: "failures", Type: intType, Default: number(3), Doc: "in a row that kill the daemon"},
		{Name: "successes", Type: intType, Default: number(1), Doc: "in a row that make it healthy"},
		{Name: "start_within", Type: durationType, Default: text("1m"), Doc: "that a daemon which has never answered is given"},
	}
}

func probes() []Word {
	return []Word{
		{
			Name: "tcp", run: runTCP, Doc: "A probe that connects, sends a text and waits for an answer; without expect any byte will do.",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\"],\n        probes = [tcp(6379, send = \"PING\\r\\n\", expect = \"PONG\")])",
			Parameters: append([]Parameter{
				{Name: "port", Type: portType, Required: true, Positional: true, Doc: "where it listens"},
				{Name: "send", Type: textType, Default: text(""), Doc: "after connecting"},
				{Name: "expect", Type: textType, Default: text(""), Doc: "in the answer"},
				{Name: "connect_only", Type: boolType, Default: no, Doc: "asks for nothing but a connection, which the kernel grants for a daemon that hangs"},
			}, timings()...),
		},
		{
			Name: "http", run: runHTTP, Doc: "A probe that gets a page and wants its status, and a text in its first 64 KiB where expect is given.",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\"],\n        probes = [http(8080, \"/healthz\", every = \"5s\")])",
			Parameters: append([]Parameter{
				{Name: "port", Type: portType, Required: true, Positional: true, Doc: "where it listens"},
				{Name: "path", Type: textType, Default: text("/"), Positional: true, Doc: "of the page"},
				{Name: "status", Type: intType, Default: number(200), Doc: "that means healthy"},
				{Name: "expect", Type: textType, Default: text(""), Doc: "in the body"},
			}, timings()...),
		},
	}
}

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
			Name: "limits", run: runLimits, Doc: "Bounds of one incarnation of a daemon. What is left out is unlimited.",
			Example: service(`limits = limits(nofile = 65536, memory = "512MiB", oom_score_adj = -100)`),
			Parameters: []Parameter{
				{Name: "nofile", Type: intType, Doc: "open descriptors"},
				{Name: "memory", Type: sizeType, Doc: "of all its processes"},
				{Name: "oom_score_adj", Type: intType, Doc: "from -1000, killed last, to 1000"},
			},
		},
		{
			Name: "logs", run: runLogs, Doc: "How much of a daemon's output is kept.",
			Example: service(`logs = logs(size = "64MiB", keep = 5)`),
			Parameters: []Parameter{
				{Name: "size", Type: sizeType, Default: text("64MiB"), Doc: "of one file"},
				{Name: "keep", Type: intType, Default: number(5), Doc: "files besides the one being written"},
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

func numbers() []Word {
	values := []Parameter{{Name: "values", Type: scalarType, Rest: true, Doc: "numbers of one unit"}}
	return []Word{
		{
			Name: "host", Doc: "The facts of the host: cpus (a number), memory (a size), name and arch (texts). They are known only where the service starts; + - * // % work on the first two.",
			Example: `workers = flag("workers", type = "int", default = host.cpus * 2)`,
		},
		{
			Name: "fmt", run: runFmt, Doc: "A text in which each {} is one of the values, also of flags and the host.",
			Example: "port = flag(\"port\", type = \"port\", default = 8080)\nargument = fmt(\"--port={}\", port)",
			Parameters: []Parameter{
				{Name: "format", Type: templateType, Required: true, Positional: true, Doc: "{{ and }} stand for braces"},
				{Name: "args", Type: valueType, Rest: true, Doc: "a value for each {}"},
			},
		},
		{
			Name: "clamp", run: runClamp, Doc: "A number held between two others.",
			Example: `workers = clamp(host.cpus * 2, 2, 64)`,
			Parameters: []Parameter{
				{Name: "value", Type: scalarType, Required: true, Positional: true, Doc: "a number, size or duration"},
				{Name: "low", Type: scalarType, Required: true, Positional: true, Doc: "the least result"},
				{Name: "high", Type: scalarType, Required: true, Positional: true, Doc: "the greatest result"},
			},
		},
		{Name: "min_of", run: runMinOf, Doc: "The least of some numbers.", Example: `workers = min_of(host.cpus, 16)`, Parameters: values},
		{Name: "max_of", run: runMaxOf, Doc: "The greatest of some numbers.", Example: `cache = max_of(host.memory // 4, "256MiB")`, Parameters: values},
	}
}
