package interp

import "recipe/runtime/plan"

// explainPlans explains the codes of what a plan cannot hold.
func explainPlans() []Explanation {
	return []Explanation{
		{
			Code:    plan.CodeMissing,
			Reason:  "An argument that the word cannot do without is left out or empty.",
			Example: `service(name = "foo")`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    plan.CodeKind,
			Reason:  "The argument is of another type than the word takes.",
			Example: `step = require_port_free("80")`,
			Mend:    `step = require_port_free(80)`,
		},
		{
			Code:    plan.CodeRange,
			Reason:  "The value is outside of what makes sense, or is no value with a unit.",
			Example: `p = http(80, every = "10 sec")`,
			Mend:    `p = http(80, every = "10s")`,
		},
		{
			Code:    plan.CodeChoice,
			Reason:  "The text is none of the choices.",
			Example: `gently = stop(signal = "SIGTERM")`,
			Mend:    `gently = stop(signal = "TERM")`,
		},
		{
			Code:    plan.CodePattern,
			Reason:  "A pattern describes a whole text of printable ASCII, in the part of regular expressions that Go and grep -E read alike.",
			Example: `tag = flag("tag", type = "string", default = "a", pattern = "^[a-z]+$")`,
			Mend:    `tag = flag("tag", type = "string", default = "a", pattern = "[a-z]+")`,
		},
		{
			Code:    plan.CodeSecret,
			Reason:  "A secret that stands in a recipe, an argument, a variable, or a file for everybody, is none: others can read these.",
			Example: "password = flag(\"password\", secret = True)\nservice(name = \"foo\", command = [\"/usr/bin/foo\", fmt(\"--password={}\", password)])",
			Mend:    "password = flag(\"password\", secret = True)\nshown = template(\"/run/foo/password\", \"{}\", password, mode = 0o600)\nservice(name = \"foo\", command = [\"/usr/bin/foo\", fmt(\"--password-file={}\", shown)], prepare = [shown])",
		},
		{
			Code:    plan.CodeName,
			Reason:  "Names go into files, units and packages, and each of these has a form that they must fit.",
			Example: `service(name = "Foo Bar", command = ["/usr/bin/foo"])`,
			Mend:    `service(name = "foo-bar", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    plan.CodeDuplicate,
			Reason:  "Two things of a kind have one name.",
			Example: "port = flag(\"port\", type = \"port\", default = 8080)\nadmin = flag(\"port\", type = \"port\", default = 8081)",
			Mend:    "port = flag(\"port\", type = \"port\", default = 8080)\nadmin = flag(\"admin-port\", type = \"port\", default = 8081)",
		},
		{
			Code:    plan.CodeUndeclared,
			Reason:  "A name is used that the recipe does not declare.",
			Example: `service(name = "foo", user = "foo", command = ["/usr/bin/foo"])`,
			Mend:    `service(name = "foo", user = account("foo"), command = ["/usr/bin/foo"])`,
		},
		{
			Code:    plan.CodePath,
			Reason:  "Paths on hosts are absolute and clean; sources lie below the recipe's folder.",
			Example: `data = directory("var/lib/foo")`,
			Mend:    `data = directory("/var/lib/foo")`,
		},
		{
			Code:   plan.CodeConflict,
			Reason: "One path on a host is one thing: what the package brings, a directory or a file that a step makes. Two that differ would change it at every start.",
			Example: `conf = config("foo.conf", "/etc/foo/foo.conf")
live = template("/etc/foo/foo.conf", "port 8080\n")
package(name = "foo", version = "1.0", maintainer = "Foo Team <foo@example.org>", summary = "serves foo", contents = [conf])
service(name = "foo", command = ["/usr/bin/foo"], prepare = [live])`,
			Mend: `conf = config("foo.conf", "/etc/foo/foo.conf")
live = template("/run/foo/live.conf", "port 8080\n")
package(name = "foo", version = "1.0", maintainer = "Foo Team <foo@example.org>", summary = "serves foo", contents = [conf])
service(name = "foo", command = ["/usr/bin/foo"], prepare = [live])`,
		},
		{
			Code:    plan.CodeText,
			Reason:  "The text holds what a file, an argument or a variable cannot.",
			Example: `service(name = "foo", command = ["/usr/bin/foo", "a\x00b"])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo", "ab"])`,
		},
		{
			Code:   plan.CodeApply,
			Reason: "A signal makes a daemon read files again; its arguments and environment it never reads again.",
			Example: `level = flag("level", type = "enum", values = ["info", "debug"], default = "info", apply = signal("HUP"))
service(name = "foo", command = ["/usr/bin/foo", fmt("--level={}", level)])`,
			Mend: `level = flag("level", type = "enum", values = ["info", "debug"], default = "info", apply = signal("HUP"))
live = template("/run/foo/live.conf", "level {}\n", level)
service(name = "foo", command = ["/usr/bin/foo", fmt("--config={}", live)], prepare = [live])`,
		},
		{
			Code:    plan.CodeDaemonizes,
			Reason:  "A supervisor knows its child. A daemon that forks away leaves it nothing to wait for.",
			Example: `service(name = "foo", command = ["/usr/sbin/food", "--daemonize"])`,
			Mend:    `service(name = "foo", command = ["/usr/sbin/food", "--foreground"])`,
		},
		{
			Code:    plan.CodeOrder,
			Reason:  "A package manager has an order: before an installation neither the package's files nor its accounts are there, before an upgrade what the new version depends on need not be, and after a removal its files are gone.",
			Example: "food = file(\"food\", \"/usr/lib/foo/food\", mode = 0o755)\npackage(name = \"foo\", version = \"1\", maintainer = \"Foo Team <foo@example.org>\", summary = \"serves foo\", contents = [food])\nhooks(before_install = [run([food, \"--seed\"])])",
			Mend:    "food = file(\"food\", \"/usr/lib/foo/food\", mode = 0o755)\npackage(name = \"foo\", version = \"1\", maintainer = \"Foo Team <foo@example.org>\", summary = \"serves foo\", contents = [food])\nhooks(after_install = [run([food, \"--seed\"])])",
		},
		{
			Code:    plan.CodeCycle,
			Reason:  "Services that wait for each other never start.",
			Example: "service(name = \"a\", command = [\"/usr/bin/a\"], after = [\"b\"])\nservice(name = \"b\", command = [\"/usr/bin/b\"], after = [\"a\"])",
			Mend:    "service(name = \"a\", command = [\"/usr/bin/a\"])\nservice(name = \"b\", command = [\"/usr/bin/b\"], after = [\"a\"])",
		},
		{
			Code:    plan.CodePortable,
			Reason:  "A standalone package has its probes asked, and its hooks run, by plain sh, which neither calls functions nor sees a NUL nor reads what the daemon writes, and its sockets opened by the init, which knows no flags; there is no terminal that an operator could attach to.",
			Example: "package(name = \"foo\", version = \"1.0\", maintainer = \"Foo <foo@example.org>\", summary = \"serves foo\")\nservice(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [tcp(1, expect = b\"\\x00ok\")])",
			Mend:    "package(name = \"foo\", version = \"1.0\", maintainer = \"Foo <foo@example.org>\", summary = \"serves foo\")\nservice(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [tcp(1, expect = \"ok\")])",
		},
	}
}
