package builtins

import (
	"fmt"
	"path"
	"strings"

	"go.starlark.net/starlark"

	"recipe/runtime/expr"
)

// suggest says what to write instead of a value of another type; "" when there is no telling.
func (it *item) suggest(v starlark.Value) string {
	list := strings.HasPrefix(it.parameter.Type.Name, "list of")
	switch v := v.(type) {
	case starlark.String:
		return it.suggestForText(string(v))
	case starlark.Int, starlark.Float:
		if it.parameter.Type.Name == "text" || it.parameter.Type.Name == "list of texts" {
			return fmt.Sprintf("write it as a text: %q", clip(v.String(), 40))
		}
		if it.parameter.Type.Name == "account" {
			return `accounts have names, which are the same on every host: account("foo")`
		}
	case *starlark.Builtin:
		switch {
		case contains(it.parameter.Choices, v.Name()):
			return fmt.Sprintf("write %q", v.Name())
		case strings.Contains(it.parameter.Type.Accepted, v.Name()):
			return fmt.Sprintf("call it: %s(...)", v.Name())
		}
	case *Handle:
		return it.suggestForHandle(v, list)
	case *starlark.Dict:
		if word, ok := strings.CutSuffix(it.parameter.Type.Accepted, "(...)"); ok && v.Len() > 0 {
			if name, ok := starlark.AsString(v.Keys()[0]); ok {
				return fmt.Sprintf("call the word: %s(%s = ...)", word, clip(name, 40))
			}
		}
	case *starlark.List:
		if strings.HasPrefix(it.parameter.Type.Accepted, "names and values") {
			return `write a dict: {"NAME": "value"}`
		}
	case *starlark.Function:
		if v.Name() == "lambda" {
			return "a function is called for what it returns: give it a name, and call it"
		}
		return "a function is called for what it returns: " + v.Name() + "(...)"
	}
	return ""
}

func (it *item) suggestForText(text string) string {
	t := it.parameter.Type.Name
	digits := text != "" && strings.Trim(text, "0123456789") == ""
	switch {
	case digits && (t == "int" || t == "port"):
		return "write it as a number: " + clip(text, 20)
	case t == "port" && it.recording.declaresFlag(text):
		return fmt.Sprintf("name the value that flag(%q, ...) returns", text)
	case t == "port" && strings.Contains(text, "://"):
		return `the port is a number, the path another argument: http(8080, "/healthz")`
	case t == "list of steps" || t == "list of run":
		if words := strings.Fields(text); len(words) > 0 {
			return fmt.Sprintf("no shell reads a step: write run(%s)", clip(quoted(words), 120))
		}
	case t == "list of contents":
		return `write file("dist/foo", "/usr/bin/foo"): where it comes from, where it goes`
	case t == "restart":
		return `a service is always started again; restart(delay = "1s") sets how soon`
	case t == "stop":
		return `stop(signal = "TERM", grace = "10s") says how a service is ended`
	case t == "bool" && (strings.EqualFold(text, "true") || text == "yes" || text == "on"):
		return "write True"
	case t == "bool" && (strings.EqualFold(text, "false") || text == "no" || text == "off"):
		return "write False"
	}
	return ""
}

func (it *item) suggestForHandle(h *Handle, list bool) string {
	t := it.parameter.Type.Name
	switch {
	case list && it.part.Element < 0 && strings.Contains(it.parameter.Type.Accepted, h.word):
		return fmt.Sprintf("write a list: [%s(...)]", h.word)
	case t == "list of probes" && h.word == "run":
		return "a process that is there proves nothing: ask the service, by tcp or http"
	case t == "list of steps" && (h.word == "file" || h.word == "config"):
		return "the package brings it: name it in contents"
	case t == "list of contents" && (h.word == "directory" || h.word == "template"):
		return "it is made before each start: name it in prepare"
	}
	return ""
}

func (r *Recording) declaresFlag(name string) bool {
	for _, f := range r.Flags {
		if f.Name == name {
			return true
		}
	}
	return false
}

// suggestPath says how a text becomes a path that can be used.
func (it *item) suggestPath(text string) string {
	switch {
	case strings.HasPrefix(text, "~"):
		return "no shell reads this: write the whole path; account(..., home = ...) declares a home"
	case strings.Contains(text, "$"):
		return "no shell reads this: a path is whole, or the value of a flag of type path"
	case strings.HasPrefix(text, "/") && expr.CheckPath(path.Clean(text)) == nil:
		return fmt.Sprintf("write %q", path.Clean(text))
	case it.call.word != nil && len(it.call.word.Parameters) > 1 && it.call.word.Parameters[0].Name == "source":
		return "the source in the recipe's folder comes first, then the path on the host"
	case len(text) > 2 && text[1] == ':':
		return "hosts have no drives: a path begins with /"
	case it.call.word != nil && it.call.word.Parameters[0].Name == "path" && len(it.call.word.Parameters) > 1 && it.call.word.Parameters[1].Positional && text != "" && strings.ContainsAny(text, " \n"):
		return "the path comes first"
	case text != "" && expr.CheckPath("/"+text) == nil:
		return fmt.Sprintf("begin it with /, as in %q", "/"+text)
	}
	return ""
}

// spelledElsewhere are parameters by the names that other programs have for them, and the hint where there is none.
func spelledElsewhere(word, name string) string {
	never := "there is no limit: a service is never given up; cap bounds the delay between starts"
	known := map[string]map[string]string{
		"service": {
			"cmd": `write command = ["/usr/bin/foo"]`, "args": "arguments stand in command, behind the program", "exec": `write command = ["/usr/bin/foo"]`,
			"ExecStart": `write command = ["/usr/bin/foo"]`, "ExecStartPre": "write prepare = [run([...])]", "Restart": "a service is always started again; restart = restart(...) sets how soon",
			"User": `write user = account("foo")`, "Environment": `write env = {"NAME": "value"}`, "environment": `write env = {"NAME": "value"}`,
			"WorkingDirectory": "write workdir = ...", "cwd": "write workdir = ...",
			"tty": "write terminal = True", "pty": "write terminal = True", "stdin_open": "write terminal = True", "interactive": "write terminal = True", "StandardInput": "write terminal = True for one that takes commands",
			"healthcheck": `write probes = [http(8080, "/healthz")]`, "health": `write probes = [http(8080, "/healthz")]`, "probe": `write probes = [http(8080, "/healthz")]`,
			"depends_on": `write after = ["other"]`, "requires": `write after = ["other"]`, "After": `write after = ["other"]`, "pidfile": "no file with a pid is read or written: the daemon is a child in the foreground",
			"PIDFile": "no file with a pid is read or written: the daemon is a child in the foreground", "autostart": "what is declared is started", "replicas": "declare a service for each",
		},
		"restart": {"max_retries": never, "retries": never, "limit": never, "attempts": never, "max": never, "policy": "a service is always started again", "sec": `write delay = "1s"`, "seconds": `write delay = "1s"`},
		"limits":  {"oom": "write oom_score_adj = ...", "LimitNOFILE": "write nofile = ...", "MemoryMax": `write memory = "512MiB"`, "mem": `write memory = "512MiB"`, "files": "write nofile = ...", "CPUQuota": "write cpu = 1.5"},
		"stop":    {"timeout": `write grace = "10s"`, "TimeoutStopSec": `write grace = "10s"`, "wait": `write grace = "10s"`},
		"logs":    {"max_size": `write size = "64MiB"`, "count": "write keep = ...", "files": "write keep = ..."},
		"http":    {"interval": `write every = "10s"`, "url": `write http(8080, "/healthz")`, "code": "write status = 200", "retries": "write failures = 3", "uri": "write path = ..."},
		"tcp":     {"interval": `write every = "10s"`, "retries": "write failures = 3", "message": "write send = ...", "reply": "write expect = ..."},
		"flag":    {"choices": "write values = [...]", "required": "every flag has a default, so that a host without settings starts", "description": "write help = ...", "doc": "write help = ...", "minimum": "write min = ...", "maximum": "write max = ..."},
		"package": {"description_short": "write summary = ...", "requires": "write depends = [...]", "dependencies": "write depends = [...]", "files": "write contents = [...]", "url": "write homepage = ...", "author": "write maintainer = ..."},
	}
	return known[word][name]
}

// typesElsewhere are the types of flags by the names of other languages.
var typesElsewhere = map[string]string{
	"integer": "int", "number": "int", "long": "int", "uint": "int", "str": "string", "text": "string", "boolean": "bool", "bytes": "size", "memory": "size",
	"time": "duration", "seconds": "duration", "timeout": "duration", "interval": "duration", "file": "path", "directory": "path", "dir": "path", "choice": "enum", "select": "enum",
}
