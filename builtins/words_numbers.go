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
		{Name: "min_of", run: runMinOf, Doc: "The least of some numbers.", Example: `workers = min_of(host.cpus, 16)`, Parameters: values},
		{Name: "max_of", run: runMaxOf, Doc: "The greatest of some numbers.", Example: `cache = max_of(host.memory // 4, "256MiB")`, Parameters: values},
	}
}
