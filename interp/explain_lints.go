package interp

import (
	"recipe/builtins"
	"recipe/runtime/plan/lint"
)

// explainLints explains what is allowed and probably not meant, and what a recipe says itself.
func explainLints() []Explanation {
	return []Explanation{
		{
			Code:    lint.CodeNoProbe,
			Reason:  "A daemon without a probe is restarted when it dies, but not when it hangs.",
			Example: `service(name = "foo", command = ["/usr/bin/foo"])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, "/healthz")])`,
		},
		{
			Code:    lint.CodeConnectOnly,
			Reason:  "The kernel accepts connections for a daemon that hangs, so that a connection proves little.",
			Example: `service(name = "foo", command = ["/usr/bin/foo"], probes = [tcp(6379, connect_only = True)])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [tcp(6379, send = "PING\r\n", expect = "PONG")])`,
		},
		{
			Code:    lint.CodeTimeout,
			Reason:  "A daemon that answers slowly is asked again before it could answer: the questions themselves become its load, and when they pile up they bring down what they watch.",
			Example: `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, every = "5s", timeout = "5s")])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, every = "5s", timeout = "2s")])`,
		},
		{
			Code:    lint.CodeAsksOthers,
			Reason:  "A daemon that hangs is in every list of processes, holds its sockets open and has its pidfile. Only an answer of its own tells that it works.",
			Example: `service(name = "foo", command = ["/usr/bin/foo"], probes = [exec(["/usr/bin/pgrep", "-x", "foo"])])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [exec(["/usr/bin/foo", "--ping"])])`,
		},
		{
			Code:    lint.CodeInsecure,
			Reason:  "A certificate that has expired, or is somebody else's, stops every client, while a probe that takes any finds the service healthy.",
			Example: `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8443, "/healthz", tls = True, insecure = True)])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8443, "/healthz", tls = True, server_name = "foo.example.org", ca = "/etc/foo/ca.pem")])`,
		},
		{
			Code:    lint.CodePidfile,
			Reason:  "A pidfile names a process that may be long gone, and its number somebody else's: scripts that trust one have killed strangers and started second copies. The daemon is a child, and needs no file to be found.",
			Example: `service(name = "foo", command = ["/usr/bin/foo", "--pidfile=/run/foo.pid"], probes = [http(8080)])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080)])`,
		},
		{
			Code:   lint.CodeDaemonizes,
			Reason: "A daemon whose file tells it to fork away leaves its supervisor with a process that ended, and is then killed as a leftover.",
			Example: `conf = template("/run/foo/foo.conf", "port 6379\ndaemonize yes\n")
service(name = "foo", command = ["/usr/bin/foo", conf], prepare = [conf], probes = [http(8080)])`,
			Mend: `conf = template("/run/foo/foo.conf", "port 6379\ndaemonize no\n")
service(name = "foo", command = ["/usr/bin/foo", conf], prepare = [conf], probes = [http(8080)])`,
		},
		{
			Code:    lint.CodeDestructive,
			Reason:  "A start may come at any moment and many times a day, after a crash above all: what a step removes is removed just when it is needed, and a wrong or empty variable has removed more than was meant.",
			Example: `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, "/healthz")], prepare = [run(["/bin/rm", "-rf", "/var/lib/foo"])])`,
			Mend: `data = directory("/var/lib/foo")
service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, "/healthz")], prepare = [data])`,
		},
		{
			Code:   lint.CodeSpeltPath,
			Reason: "What is declared moves with --root and --dev; a text that spells out the same path does not, so that a trial run reads or writes the host's own files.",
			Example: `data = directory("/var/lib/foo")
service(name = "foo", command = ["/usr/bin/foo", "--data=/var/lib/foo"], prepare = [data], probes = [http(8080)])`,
			Mend: `data = directory("/var/lib/foo")
service(name = "foo", command = ["/usr/bin/foo", fmt("--data={}", data)], prepare = [data], probes = [http(8080)])`,
		},
		{
			Code:   lint.CodeUndocumented,
			Reason: "Whoever is paged at night reads the flags file and recipe flags, not the recipe.",
			Example: `port = flag("port", type = "port", default = 8080)
service(name = "foo", command = ["/usr/bin/foo", fmt("--port={}", port)], probes = [http(port)])`,
			Mend: `port = flag("port", type = "port", default = 8080, help = "TCP port to serve on")
service(name = "foo", command = ["/usr/bin/foo", fmt("--port={}", port)], probes = [http(port)])`,
		},
		{
			Code:   lint.CodeUnused,
			Reason: "An operator who sets a flag that nothing reads believes to have changed something.",
			Example: `port = flag("port", type = "port", default = 8080, help = "TCP port to serve on")
service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, "/healthz")])`,
			Mend: `port = flag("port", type = "port", default = 8080, help = "TCP port to serve on")
service(name = "foo", command = ["/usr/bin/foo", fmt("--port={}", port)], probes = [http(port)])`,
		},
		{
			Code:   lint.CodeRoot,
			Reason: "A service that runs as root gives the whole host to whoever breaks into it, and its own mistakes reach everything. A port below 1024 needs the capability net_bind_service, or a socket that is handed over, and not root.",
			Example: `package(name = "foo", version = "1.0", maintainer = "Foo <foo@example.org>", summary = "serves foo")
service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, "/healthz")])`,
			Mend: `package(name = "foo", version = "1.0", maintainer = "Foo <foo@example.org>", summary = "serves foo")
service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, "/healthz")], user = account("foo"))`,
		},
		{
			Code:    lint.CodeSecretFixed,
			Reason:  "A recipe, its plan and its package are read by many and kept for long; a secret in them is the same on every host and cannot be taken back.",
			Example: `service(name = "foo", command = ["/usr/bin/foo", "--db-password=hunter2"], probes = [http(8080)])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, "/healthz")])`,
		},
		{
			Code:   lint.CodeSecretShown,
			Reason: "Every user of a host may read the arguments of every process, and so do monitoring and crash reports.",
			Example: `password = flag("password", type = "string", default = "", help = "of the database")
service(name = "foo", command = ["/usr/bin/foo", fmt("--password={}", password)], probes = [http(8080)])`,
			Mend: `password = flag("password", secret = True, help = "of the database")
conf = template("/run/foo/foo.conf", "password {}\n", password, mode = 0o600)
service(name = "foo", command = ["/usr/bin/foo", conf], prepare = [conf], probes = [http(8080)])`,
		},
		{
			Code:    lint.CodeUnpinned,
			Reason:  "What a build fetches by name alone is another thing tomorrow: the same recipe then gives another package, and a rollback is none.",
			Example: `package(name = "foo", version = "1.0", maintainer = "Foo <foo@example.org>", summary = "serves foo", build = [run(["npm", "install"])])`,
			Mend:    `package(name = "foo", version = "1.0", maintainer = "Foo <foo@example.org>", summary = "serves foo", build = [run(["npm", "ci"])])`,
		},
		{
			Code:    lint.CodeShell,
			Reason:  "No shell reads a command: signs of a pipeline, $NAME, ~ and patterns reach the program as they stand, so that no value of a host can become a command.",
			Example: `service(name = "foo", command = ["/usr/bin/foo", "--home=$HOME"], probes = [http(8080)])`,
			Mend:    "data = directory(\"/var/lib/foo\")\nservice(name = \"foo\", command = [\"/usr/bin/foo\", fmt(\"--home={}\", data)], prepare = [data], probes = [http(8080)])",
		},
		{
			Code:    CodeNothing,
			Reason:  "A recipe that declares neither a service, a task nor a package makes nothing; a file that is being written anew looks like one for a moment.",
			Example: `port = 8080`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    builtins.CodeNote,
			Reason:  "What a recipe prints is shown as a note. It is no mistake.",
			Example: "print(\"two of them\")\nservice(name = \"foo\", command = [\"/usr/bin/foo\"])",
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
	}
}
