package builtins

import (
	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func sockets() []Word {
	return []Word{
		{
			Name: "socket", run: runSocket, Doc: "A socket that is opened before a service starts, handed to it and held over its restarts, so that none of them refuses a connection.",
			Example: "service(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [http(8080)],\n        listen = [socket(\"web\", port = 8080), socket(\"admin\", path = \"/run/foo/admin.sock\", mode = 0o600)])",
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Positional: true, Doc: "by which the daemon knows it, in LISTEN_FDNAMES"},
				{Name: "port", Type: portType, Doc: "to listen on; either this or path"},
				{Name: "path", Type: pathType, Doc: "of a unix socket; its directory is made"},
				{Name: "type", Type: textType, Default: text("stream"), Choices: socketTypes(), Doc: "connections, as of TCP, or single messages, as of UDP"},
				{Name: "host", Type: textType, Default: text(""), Doc: "the address of the port; every address of the host unless given"},
				{Name: "backlog", Type: intType, Default: number(plan.DefaultBacklog), Doc: "connections of a stream that may wait, within the kernel's net.core.somaxconn"},
				{Name: "mode", Type: modeType, Default: number(0o660), Doc: "permission bits of the path"},
				{Name: "owner", Type: accountType, Doc: "whose the path is; the supervisor's user's unless given"},
				{Name: "group", Type: textType, Doc: "whose the path is; the supervisor's user's unless given"},
			},
		},
	}
}

func socketTypes() []string {
	names := []string{}
	for _, t := range plan.SocketTypes() {
		names = append(names, string(t))
	}
	return names
}

func runSocket(r *Recording, a *arguments) starlark.Value {
	s := plan.Socket{Name: get[string](a, "name"), Type: plan.SocketType(get[string](a, "type")), Host: get[string](a, "host"),
		Port: get[expr.Expr](a, "port"), Path: get[expr.Expr](a, "path"), Owner: get[string](a, "owner"), Group: get[string](a, "group")}
	// What does not apply is refused where it is written out, and absent where it is the default.
	if s.Type == plan.Stream || a.given("backlog") != nil {
		s.Backlog = int(clampInt(get[int64](a, "backlog")))
	}
	if !s.Path.IsZero() || a.given("mode") != nil {
		s.Mode = get[plan.Mode](a, "mode")
	}
	if s.Port.IsZero() && s.Path.IsZero() && !a.call.Spoilt(Whole("port")) && !a.call.Spoilt(Whole("path")) {
		r.report(a.call, callee(), diag.Diagnostic{Code: plan.CodeMissing, Message: "a socket has a port or a path", Accepted: `port = 8080, or path = "/run/foo/foo.sock"`})
	}
	if !s.Port.IsZero() && !s.Path.IsZero() {
		r.report(a.call, Whole("path"), diag.Diagnostic{Code: plan.CodeKind, Message: "a socket has a port or a path, and not both", Hint: "declare two sockets"})
	}
	if a.call.Spoilt(Whole("port")) || a.call.Spoilt(Whole("path")) || s.Port.IsZero() == s.Path.IsZero() {
		return unknown{}
	}
	return &Handle{in: r, word: "socket", call: a.call, made: s, name: s.Name}
}
