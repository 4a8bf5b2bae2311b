package builtins

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
