package builtins

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
