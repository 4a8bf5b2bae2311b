package builtins

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
		{
			Name: "percent", run: runPercent, Doc: "A part of a number: value * n // 100.",
			Example: `cache = percent(host.memory, 25)`,
			Parameters: []Parameter{
				{Name: "value", Type: scalarType, Required: true, Positional: true, Doc: "a number, size or duration"},
				{Name: "n", Type: scalarType, Required: true, Positional: true, Doc: "how many hundredths of it"},
			},
		},
		{
			Name: "size", run: runSize, Doc: "A size to calculate with or to choose, where nothing beside the text tells that it is one.",
			Example: "workers = flag(\"workers\", type = \"int\", default = 4)\nheap = workers * size(\"64MiB\")",
			Parameters: []Parameter{
				{Name: "value", Type: sizeType, Required: true, Positional: true, Doc: "the size"},
			},
		},
		{
			Name: "duration", run: runDuration, Doc: "A duration to calculate with or to choose, where nothing beside the text tells that it is one.",
			Example: `patience = cond(host.cpus == 1, duration("10s"), duration("2s"))`,
			Parameters: []Parameter{
				{Name: "value", Type: durationType, Required: true, Positional: true, Doc: "the duration"},
			},
		},
		{
			Name: "cond", run: runCond, Doc: "One of two values, chosen where the service starts. Flags and facts of the host are compared in its first argument, by == != < <= > >= joined by and, or, not, and nowhere else.",
			Example: "tls = flag(\"tls\", type = \"bool\", default = True)\nworkers = cond(host.cpus > 4 and not tls, host.cpus * 2, 4)",
			Parameters: []Parameter{
				{Name: "test", Type: truthType, Required: true, Positional: true, Doc: "a comparison, or a flag of type bool"},
				{Name: "then", Type: valueType, Required: true, Positional: true, Doc: "the result if it holds"},
				{Name: "otherwise", Type: valueType, Required: true, Positional: true, Doc: "the result if not; of the same type"},
			},
		},
		{
			Name: "select", run: runSelect, Doc: "The result of the choice that a value equals, looked up where the service starts.",
			Example: `arch = select(host.arch, {"x86_64": "amd64", "aarch64": "arm64"}, default = host.arch)`,
			Parameters: []Parameter{
				{Name: "value", Type: valueType, Required: true, Positional: true, Doc: "a text, an int or a bool: a flag or a fact of the host"},
				{Name: "choices", Type: choicesType, Required: true, Positional: true, Doc: "each choice and its result; results are of one type"},
				{Name: "default", Type: valueType, Doc: "the result for every other value; without it, none may remain of an enum or a bool, and another value stops the start"},
			},
		},
		{
			Name: "join", run: runJoin, Doc: "A text of a list flag's elements, with a text between them. As an argument of a command a list needs no join: each element is an argument of its own.",
			Example: "peers = flag(\"peers\", type = \"list\", default = [\"a\", \"b\"])\nargument = fmt(\"--peers={}\", join(peers, \",\"))",
			Parameters: []Parameter{
				{Name: "list", Type: listType, Required: true, Positional: true, Doc: "a flag of type list"},
				{Name: "separator", Type: textType, Required: true, Positional: true, Doc: "what goes between two elements"},
			},
		},
		{Name: "min_of", run: runMinOf, Doc: "The least of some numbers.", Example: `workers = min_of(host.cpus, 16)`, Parameters: values},
		{Name: "max_of", run: runMaxOf, Doc: "The greatest of some numbers.", Example: `cache = max_of(host.memory // 4, "256MiB")`, Parameters: values},
	}
}
