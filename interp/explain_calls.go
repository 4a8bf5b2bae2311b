package interp

import "recipe/builtins"

// explainCalls explains the codes of calls of words, and of values that only the host knows.
func explainCalls() []Explanation {
	return []Explanation{
		{
			Code:    builtins.CodeUnknownParameter,
			Reason:  "A word takes the parameters of its table, by these names.",
			Example: `service(name = "foo", comand = ["/usr/bin/foo"])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    builtins.CodeTooMany,
			Reason:  "Declarations take their arguments by name, so that a recipe can be read without the manual.",
			Example: `service("foo", ["/usr/bin/foo"])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    builtins.CodeRepeated,
			Reason:  "An argument is given twice: by its place and by its name, or twice by its name.",
			Example: `p = http(80, "/", path = "/healthz")`,
			Mend:    `p = http(80, "/healthz")`,
		},
		{
			Code:    builtins.CodeInModule,
			Reason:  "Only the recipe declares, so that reading it tells what it declares; a module offers functions.",
			Example: "load(\"lib.star\", \"x\")\n-- lib.star --\nservice(name = \"foo\", command = [\"/usr/bin/foo\"])\nx = 1",
			Mend:    "load(\"lib.star\", \"foo\")\nfoo()\n-- lib.star --\ndef foo():\n    service(name = \"foo\", command = [\"/usr/bin/foo\"])",
		},
		{
			Code:    builtins.CodeHostValue,
			Reason:  "Flags and facts have their values on the host where the service starts. A recipe that could branch on them would mean something else on every host, and never say so.",
			Example: "workers = 2\nif host.cpus > 4:\n    more = 8",
			Mend:    "workers = cond(host.cpus > 4, 8, 2)",
		},
		{
			Code:    builtins.CodeArithmetic,
			Reason:  "The operator does not fit the values: a text, another unit, a division.",
			Example: `cache = host.memory // 2 + 1024`,
			Mend:    `cache = host.memory // 2 + "1KiB"`,
		},
		{
			Code:    builtins.CodeUnknownFact,
			Reason:  "A host has the facts cpus, memory, name and arch.",
			Example: `port = host.port`,
			Mend:    `port = flag("port", type = "port", default = 8080, help = "TCP port to serve on")`,
		},
		{
			Code:    builtins.CodeFormat,
			Reason:  "In a format each {} takes one value, and {{ }} stand for braces.",
			Example: "port = flag(\"port\", type = \"port\", default = 8080)\nargument = fmt(\"--port={port}\", port)",
			Mend:    "port = flag(\"port\", type = \"port\", default = 8080)\nargument = fmt(\"--port={}\", port)",
		},
	}
}
