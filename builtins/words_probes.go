package builtins

import (
	"slices"

	"recipe/runtime/plan"
)

// timings are what every probe has.
func timings() []Parameter {
	return []Parameter{
		{Name: "role", Type: textType, Default: text("liveness"), Choices: plan.Roles(), Doc: "what its failures do: startup is asked alone until it has answered once, readiness decides whether the service is healthy and kills nothing, liveness kills"},
		{Name: "every", Type: durationType, Default: text("10s"), Doc: "from one question to the next"},
		{Name: "timeout", Type: durationType, Default: text("2s"), Doc: "of the whole exchange"},
		{Name: "failures", Type: intType, Default: number(3), Doc: "in a row that count"},
		{Name: "successes", Type: intType, Default: number(1), Doc: "in a row that are an answer"},
		{Name: "start_within", Type: durationType, Default: text("1m"), Doc: "that a daemon which has never answered is given"},
	}
}

// endpoint is where a probe connects to.
func endpoint() []Parameter {
	return []Parameter{
		{Name: "host", Type: textType, Default: text("127.0.0.1"), Doc: "an address"},
		{Name: "unix", Type: pathType, Doc: "the path of a socket, in place of port and host"},
		{Name: "tls", Type: boolType, Default: no, Doc: "speaks TLS, and wants a certificate that holds"},
		{Name: "server_name", Type: textType, Doc: "whom the certificate is for; the host unless given"},
		{Name: "ca", Type: pathType, Doc: "a file with the authority of the certificate, in PEM; one that the host trusts unless given"},
		{Name: "insecure", Type: boolType, Default: no, Doc: "takes any certificate"},
	}
}

func probes() []Word {
	return []Word{
		{
			Name: "tcp", run: runTCP, Doc: "A probe that connects, sends a text and waits for an answer; without expect any byte will do.",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\"],\n        probes = [tcp(6379, send = \"PING\\r\\n\", expect = \"PONG\")])",
			Parameters: slices.Concat([]Parameter{
				{Name: "port", Type: portType, Positional: true, Doc: "where it listens"},
				{Name: "send", Type: bytesType, Default: text(""), Doc: "after connecting"},
				{Name: "expect", Type: bytesType, Default: text(""), Doc: "in the answer"},
				{Name: "exchange", Type: roundsType, Doc: "rounds of send and expect on one connection, in place of both"},
				{Name: "connect_only", Type: boolType, Default: no, Doc: "asks for nothing but a connection, which the kernel grants for a daemon that hangs"},
			}, endpoint(), timings()),
		},
		{
			Name: "http", run: runHTTP, Doc: "A probe that asks for a page and wants its status, and a text in its first 64 KiB where expect is given.",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\"],\n        probes = [http(8080, \"/healthz\", every = \"5s\")])",
			Parameters: slices.Concat([]Parameter{
				{Name: "port", Type: portType, Positional: true, Doc: "where it listens"},
				{Name: "path", Type: textType, Default: text("/"), Positional: true, Doc: "of the page"},
				{Name: "method", Type: textType, Default: text("GET"), Doc: "of the request"},
				{Name: "headers", Type: headersType, Doc: "of the request, by name; they stand in the plan, which anybody may read"},
				{Name: "body", Type: bytesType, Default: text(""), Doc: "of the request"},
				{Name: "status", Type: statusType, Default: number(200), Doc: "that means healthy"},
				{Name: "expect", Type: bytesType, Default: text(""), Doc: "in the body"},
			}, endpoint(), timings()),
		},
		{
			Name: "notify", run: runNotify, Doc: "A probe that asks nothing: the daemon says of itself, by the protocol of sd_notify, that it is ready (READY=1) or, of the role liveness, alive (WATCHDOG=1).",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\"],\n        probes = [notify(start_within = \"2m\"), notify(role = \"liveness\", every = \"30s\")])",
			Parameters: []Parameter{
				{Name: "role", Type: textType, Default: text("startup"), Choices: plan.Roles(), Doc: "what is heard: of startup and readiness READY=1, of readiness also RELOADING=1, of liveness WATCHDOG=1"},
				{Name: "descriptor", Type: intType, Doc: "where the daemon writes a newline once it is ready, as s6 has it, in place of READY=1; 3 to 9"},
				{Name: "every", Type: durationType, Doc: "of liveness, within which the daemon has to say that it is alive; it is told so by WATCHDOG_USEC; 10s unless given"},
				{Name: "failures", Type: intType, Doc: "of liveness, in a row that kill; 1 unless given"},
				{Name: "start_within", Type: durationType, Default: text("1m"), Doc: "that a daemon which has not said so yet is given; it may ask for more, up to ten times that"},
			},
		},
		{
			Name: "log_line", run: runLogLine, Doc: "A probe that asks nothing, but waits for a line of the daemon's output in which a regular expression of RE2 matches.",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\"],\n        probes = [log_line(\"ready to accept connections\"), tcp(6379, send = \"PING\\r\\n\", expect = \"PONG\")])",
			Parameters: []Parameter{
				{Name: "pattern", Type: textType, Required: true, Positional: true, Doc: "that matches somewhere in the line"},
				{Name: "role", Type: textType, Default: text("startup"), Choices: plan.Roles()[:2], Doc: "what it decides: startup kills a daemon that does not write it in time, readiness kills nothing"},
				{Name: "start_within", Type: durationType, Default: text("1m"), Doc: "that a daemon which has not written it yet is given"},
			},
		},
		{
			Name: "exec", run: runExec, Doc: "A probe that runs a command as the service's account, in its environment, which must exit with 0. Its whole tree is killed at the end; its last line is shown.",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\"],\n        probes = [exec([\"/usr/bin/foo\", \"--ping\"], every = \"30s\", timeout = \"5s\")])",
			Parameters: slices.Concat([]Parameter{
				{Name: "command", Type: commandType, Required: true, Positional: true, Doc: "a program that asks the service, and its arguments; no shell reads them"},
			}, timings()),
		},
		{
			Name: "script", run: runScript, Doc: "A probe that calls a function with an object that asks the service; True is healthy, and False, fail or an error is not. It needs recipe itself on the host.",
			Example: "def check(probe):\n    reply = probe.http(\"GET\", \"/stats\", port = 8080)\n    return reply.status == 200 and reply.json()[\"lag_ms\"] < 500\n\nservice(name = \"foo\", command = [\"/usr/bin/foo\"],\n        probes = [script(check, every = \"1m\", timeout = \"10s\")])",
			Parameters: slices.Concat([]Parameter{
				{Name: "function", Type: laterType, Required: true, Positional: true, Doc: "that a file defines at its top level"},
				{Name: "arguments", Type: argumentsType, Doc: "for the function, besides the object, by name"},
			}, timings()),
		},
	}
}
