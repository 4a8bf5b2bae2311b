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
			Name: "copy", run: runCopy, Doc: "A file that is copied from another of the host before a start, wherever bytes, mode or owner differ; a packaged file's handle is such a file.",
			Example: "conf = file(\"foo.conf\", \"/usr/share/foo/foo.conf\")\nstep = copy(conf, \"/etc/foo/foo.conf\", once = True)",
			Parameters: append([]Parameter{
				{Name: "source", Type: pathType, Required: true, Positional: true, Doc: "a file of the host"},
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "absolute"},
				{Name: "once", Type: boolType, Default: no, Doc: "a file that is there is kept, whatever it holds"},
			}, ownership(0o644, "left alone unless given")...),
		},
		{
			Name: "symlink", run: runSymlink, Doc: "A symbolic link that is made before a start. It is repointed where it leads elsewhere; a file or directory in its place refuses the start.",
			Example: `current = symlink("/opt/foo/current", "releases/5")`,
			Parameters: []Parameter{
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "absolute"},
				{Name: "target", Type: targetType, Required: true, Positional: true, Doc: "where it leads, which need not be there"},
			},
		},
		{
			Name: "wait_for", run: runWaitFor, Doc: "Waits, before a start, for what is none of the recipe's services: a TCP port or a unix socket that takes connections, or a path that is there.",
			Example: `step = wait_for(port = 5432, host = "db.example.org", timeout = "2m")`,
			Parameters: []Parameter{
				{Name: "port", Type: portType, Doc: "a TCP port"},
				{Name: "host", Type: textType, Doc: "where the port is; 127.0.0.1 unless given"},
				{Name: "socket", Type: pathType, Doc: "a unix socket"},
				{Name: "path", Type: pathType, Doc: "a file or directory"},
				{Name: "timeout", Type: durationType, Default: text("1m"), Doc: "after which the start is refused"},
			},
		},
		{
			Name: "require_file", run: runRequireFile, Doc: "Refuses a start unless a file is there that the service's user may read. A packaged file's handle in prepare means the same, executable if its mode says so.",
			Example: `step = require_file("/etc/ssl/certs/ca-certificates.crt")`,
			Parameters: []Parameter{
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "a regular file, or a link to one"},
				{Name: "executable", Type: boolType, Default: no, Doc: "the user must be able to execute it as well"},
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
			Name: "require_memory", run: runRequireMemory, Doc: "Refuses a start unless the host has memory left that it could give without swapping.",
			Example: `step = require_memory("512MiB")`,
			Parameters: []Parameter{
				{Name: "size", Type: volumeType, Required: true, Positional: true, Doc: "that must be available: MemAvailable of /proc/meminfo"},
			},
		},
		{
			Name: "require_mount", run: runRequireMount, Doc: "Refuses a start unless something is mounted at a directory, so that data never lands below a mount point. `--dev` leaves it out.",
			Example: `step = require_mount("/srv/data")`,
			Parameters: []Parameter{
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "the mount point"},
			},
		},
		{
			Name: "require_port_free", run: runRequirePortFree, Doc: "Refuses a start while some process listens on a TCP port.",
			Example: `step = require_port_free(8080)`,
			Parameters: []Parameter{
				{Name: "port", Type: portType, Required: true, Positional: true, Doc: "on any address"},
			},
		},
		{
			Name: "require_writable", run: runRequireWritable, Doc: "Refuses a start unless the service's user may write to a file, or make files in a directory.",
			Example: `step = require_writable("/srv/data")`,
			Parameters: []Parameter{
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "a file or directory that is there"},
			},
		},
	}
}
