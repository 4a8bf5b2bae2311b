package builtins

import (
	"go.starlark.net/starlark"

	"recipe/runtime/plan"
)

func declarations() []Word {
	return []Word{
		{
			Name: "flag", Declares: true, run: runFlag,
			Doc:     "Declares a setting that an operator may change on a host, and returns its value, which is known only there.",
			Example: "port = flag(\"port\", type = \"port\", default = 8080, help = \"TCP port to serve on\")\npeers = flag(\"peers\", type = \"list\", default = [], pattern = \"[a-z0-9.-]+\", help = \"hosts to copy to\")\npassword = flag(\"password\", secret = True, help = \"of the database\")",
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Positional: true, Doc: "small letters, digits and '-'"},
				{Name: "type", Type: textType, Choices: flagTypes(), Doc: "what it takes; a secret is a string, and needs none"},
				{Name: "default", Type: anyType, Doc: "used unless the host says otherwise; may name host facts and flags declared before; required of all but secrets, which have none"},
				{Name: "help", Type: textType, Default: text(""), Doc: "one line for the operator"},
				{Name: "values", Type: textsType, Doc: "the choices of an enum"},
				{Name: "min", Type: anyType, Doc: "the least value of an int, port, size or duration, bytes of a string, or elements of a list"},
				{Name: "max", Type: anyType, Doc: "the greatest"},
				{Name: "pattern", Type: textType, Default: text(""), Doc: "a regular expression that describes the whole of a string, or of each element of a list"},
				{Name: "unit", Type: textType, Default: text(""), Doc: "what an int counts, for readers"},
				{Name: "secret", Type: boolType, Default: starlark.False, Doc: "its value lies in a file that the host names, and is shown nowhere; only the text of a template can take it"},
				{Name: "deprecated", Type: textType, Default: text(""), Doc: "why nobody should set it any longer, and what instead"},
				{Name: "renamed_from", Type: textsType, Doc: "names that it had before, which hosts may still use"},
				{Name: "apply", Type: applyType, Default: text("restart"), Doc: "what a change does to a running service that uses the flag"},
			},
		},
		{
			Name: "account", Declares: true, run: runAccount,
			Doc:     "Declares a system user that the package creates, with a group of its own, or one that hosts have already.",
			Example: `service(name = "foo", user = account("foo", home = "/var/lib/foo"), command = ["/usr/bin/foo"])`,
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Positional: true, Doc: "of the user"},
				{Name: "group", Type: textType, Doc: "its primary group; the user's name, or the host's choice of an existing one, unless given"},
				{Name: "groups", Type: textsType, Doc: "further groups, which the host has, for the daemon and its run steps"},
				{Name: "existing", Type: boolType, Default: no, Doc: "hosts have the user: the package neither makes nor removes it"},
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
				{Name: "style", Type: textType, Default: text("full"), Choices: []string{plan.StyleFull, plan.StyleStaging, plan.StyleBare}, Doc: "full: installing starts the services; staging: all is in place, and nothing is started until an admin releases it; bare: the contents alone"},
				{Name: "runtime", Type: textType, Default: text(plan.RuntimeStandalone), Choices: []string{plan.RuntimeStandalone, plan.RuntimeRecipe}, Doc: "standalone: hosts need nothing but the package; recipe: recipe itself supervises the services, and the package depends on it"},
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
				{Name: "workdir", Type: pathType, Doc: "where it starts, / unless given; a directory that is there, or that a step makes"},
				{Name: "umask", Type: modeType, Doc: "the permission bits that its files, and those of its run steps, do not get; 0o022 unless given"},
				{Name: "terminal", Type: boolType, Default: no, Doc: "it has one of its own, for programs that take commands on one: `recipe attach` shows it and types into it"},
				{Name: "prepare", Type: stepsType, Doc: "steps before each start"},
				{Name: "listen", Type: socketsType, Doc: "sockets that it finds open, as descriptors from 3 in this order, with LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES"},
				{Name: "probes", Type: probesType, Doc: "questions that only a healthy daemon answers"},
				{Name: "restart", Type: restartType, Doc: "delays between starts"},
				{Name: "stop", Type: stopType, Doc: "how it is asked to end"},
				{Name: "limits", Type: limitsType, Doc: "bounds of one incarnation"},
				{Name: "logs", Type: logsType, Doc: "how much of its output is kept"},
				{Name: "after", Type: textsType, Doc: "services of the recipe that are started before it"},
			},
		},
		{
			Name: "task", Declares: true, run: runTask,
			Doc:     "Declares a command that is run, ends, and is run again: periodically with every, else once each time the supervisor or the host starts, until it has succeeded. It never overlaps itself.",
			Example: "task(name = \"foo-sweep\", command = [\"/usr/bin/foo\", \"--sweep\"], every = \"1h\", timeout = \"10m\", jitter = \"5m\")",
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Positional: true, Doc: "unique among the recipe's services and tasks"},
				{Name: "command", Type: commandType, Required: true, Positional: true, Doc: "an absolute path or a handle, then the arguments; exit code 0 is success"},
				{Name: "every", Type: durationType, Doc: "the interval, a part of a minute, an hour or a day, or 1d or 7d; each host has a phase of its own in it"},
				{Name: "jitter", Type: durationType, Default: text("0s"), Doc: "that a run may come later, at random; at most half the interval"},
				{Name: "timeout", Type: durationType, Default: text("1h"), Doc: "of a run with its preparation; its whole tree is killed then"},
				{Name: "user", Type: accountType, Doc: "who runs it; whoever starts it unless given"},
				{Name: "env", Type: environType, Doc: "variables of the environment"},
				{Name: "workdir", Type: pathType, Doc: "where it starts, / unless given; a directory that is there, or that a step makes"},
				{Name: "umask", Type: modeType, Doc: "the permission bits that its files, and those of its run steps, do not get; 0o022 unless given"},
				{Name: "prepare", Type: stepsType, Doc: "steps before each run"},
				{Name: "restart", Type: restartType, Doc: "delays before a run that failed is tried again; without it a periodic task waits for its next time, and one that runs once is tried again after 1s up to 5m"},
				{Name: "limits", Type: limitsType, Doc: "bounds of one run"},
				{Name: "logs", Type: logsType, Doc: "how much of its output is kept"},
				{Name: "after", Type: textsType, Doc: "services of the recipe that must be healthy when it is run"},
			},
		},
		{
			Name: "hooks", Declares: true, run: runHooks,
			Doc:     "Declares what the package manager does besides, each a list of steps, or a function that returns one when recipe calls it, with `runtime = \"recipe\"`. A hook that fails is said, with the way to run it again, and fails nothing else unless it is strict.",
			Example: "package(name = \"foo\", version = \"1.4.2\", maintainer = \"Foo Team <foo@example.org>\", summary = \"serves foo\")\nhooks(after_upgrade = [run([\"/usr/bin/foo\", \"--reindex\"], timeout = \"5m\")], user = account(\"foo\"))",
			Parameters: []Parameter{
				{Name: "before_install", Type: hookType, Doc: "before the package's files are there, where they were not; its accounts are not there either"},
				{Name: "after_install", Type: hookType, Doc: "once the services are started"},
				{Name: "before_upgrade", Type: hookType, Doc: "of the new version, while the old one's files are there and its services run"},
				{Name: "after_upgrade", Type: hookType, Doc: "once the services are started again"},
				{Name: "before_remove", Type: hookType, Doc: "while the services run"},
				{Name: "after_remove", Type: hookType, Doc: "when files and services are gone; a purge comes later, and runs none"},
				{Name: "user", Type: accountType, Doc: "whose the run steps are; root unless given"},
				{Name: "strict", Type: boolType, Default: no, Doc: "a hook that fails fails the package manager's step as well"},
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
