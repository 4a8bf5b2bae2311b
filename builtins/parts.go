package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// The types of parameters that take what other words make.
var (
	buildType    = handles("list of run", "steps, as in [run([\"make\"])]", "run")
	contentsType = handles("list of contents", "what file, config, tree, directory and symlink made", "file", "config", "tree", "directory", "symlink")
	stepsType    = handles("list of steps", "what file, config, directory, template, copy, symlink, run, wait_for and the require_ words made", "file", "config", "directory", "template", "copy", "symlink", "run", "wait_for",
		"require_file", "require_free_space", "require_memory", "require_mount", "require_port_free", "require_writable")
	hookType     = &Type{"list of steps, or function", "a list of steps, or a function that returns one", readHook}
	probesType   = handles("list of probes", "tcp, http, exec, script, notify and log_line", "tcp", "http", "exec", "script", "notify", "log_line")
	socketsType  = handles("list of sockets", "what socket made", "socket")
	restartType  = handle("restart")
	stopType     = handle("stop")
	limitsType   = handle("limits")
	logsType     = handle("logs")
	applyType    = &Type{"apply", `"restart", "none", or signal("HUP")`, readApply} // *plan.Apply
	templateType = &Type{"text", "a text with {} for each further argument", readAny}
)

// handle takes what one word makes; it reads a *Handle.
func handle(word string) *Type {
	accepted := word + "(...)"
	return &Type{word, accepted, func(it *item, v starlark.Value) any {
		if h, ok := v.(*Handle); ok && h.word == word {
			return h
		}
		hint := ""
		if b, ok := v.(*starlark.Builtin); ok && b.Name() == word {
			hint = fmt.Sprintf("call it: %s()", word)
		}
		return it.mismatch(v, accepted, hint)
	}}
}

// handles takes a list of what some words make; it reads a []*Handle with nil for each item at fault.
func handles(name, accepted string, words ...string) *Type {
	return &Type{name, accepted, func(it *item, v starlark.Value) any {
		list, ok := elements[*Handle](it, v, func(e *item, x starlark.Value) any {
			if h, ok := x.(*Handle); ok && contains(words, h.word) {
				return h
			}
			return e.mismatch(x, accepted, "")
		})
		if !ok {
			return nil
		}
		return list
	}}
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

func readApply(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		if action := plan.ApplyAction(v); action == plan.ApplyRestart || action == plan.ApplyNone {
			return &plan.Apply{Action: action}
		}
		d := diag.Diagnostic{Code: plan.CodeChoice, Message: "this is no way to apply a change", Found: show(v), Accepted: it.parameter.Type.Accepted}
		if contains(plan.Signals(), strings.TrimPrefix(string(v), "SIG")) || v == "signal" {
			d.Hint = fmt.Sprintf("write signal(%q)", strings.TrimPrefix(string(v), "SIG"))
			if v != "signal" {
				d.Fix = &diag.Fix{New: strings.TrimPrefix(d.Hint, "write ")}
			}
		}
		return it.fault(d)
	case *Handle:
		if name, ok := v.made.(string); ok && v.word == "signal" {
			return &plan.Apply{Action: plan.ApplySignal, Signal: name}
		}
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

func unknownSignal(name string) diag.Diagnostic {
	d := diag.Diagnostic{Code: plan.CodeChoice, Message: "there is no such signal", Found: fmt.Sprintf("%q", clip(name, 40)), Accepted: strings.Join(plan.Signals(), ", ")}
	if bare := strings.TrimPrefix(strings.ToUpper(name), "SIG"); contains(plan.Signals(), bare) {
		d.Hint, d.Fix = fmt.Sprintf("write %q", bare), &diag.Fix{New: fmt.Sprintf("%q", bare)}
	} else {
		d.Hint = plan.Nearest(clip(name, 40), plan.Signals())
	}
	return d
}

func runSignal(r *Recording, a *arguments) starlark.Value {
	name := get[string](a, "name")
	if name == "" {
		return unknown{}
	}
	return &Handle{in: r, word: "signal", call: a.call, made: name, name: name}
}

func runRestart(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "restart", call: a.call, made: plan.Restart{Delay: get[plan.Duration](a, "delay"), Cap: get[plan.Duration](a, "cap"),
		JitterPermille: get[int](a, "jitter"), StableAfter: get[plan.Duration](a, "stable_after")}}
}

func runStop(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "stop", call: a.call, made: plan.Stop{Signal: get[string](a, "signal"), Grace: get[plan.Duration](a, "grace")}}
}

func runLimits(r *Recording, a *arguments) starlark.Value {
	l := plan.Limits{
		NoFile: get[int64](a, "nofile"), NProc: get[int64](a, "nproc"), Core: optional[plan.Size](a, "core"), Stack: get[plan.Size](a, "stack"),
		FSize: get[plan.Size](a, "fsize"), MemLock: optional[plan.Size](a, "memlock"), Memory: get[plan.Size](a, "memory"), CPU: get[int](a, "cpu"),
		PIDs: get[int64](a, "pids"), Nice: small(a, "nice"), IONice: get[string](a, "ionice"), IOLevel: small(a, "ionice_level"),
		OOMScoreAdj: small(a, "oom_score_adj"), Capabilities: optional[[]string](a, "capabilities"), NoNewPrivs: get[bool](a, "no_new_privs"),
	}
	return &Handle{in: r, word: "limits", call: a.call, made: l}
}

// optional is an argument whose zero value is another thing than its absence.
func optional[T any](a *arguments, name string) *T {
	if v, ok := a.values[a.index(name)].(T); ok {
		return &v
	}
	return nil
}

func small(a *arguments, name string) *int {
	n := optional[int64](a, name)
	if n == nil {
		return nil
	}
	m := int(clampInt(*n))
	return &m
}

func runLogs(r *Recording, a *arguments) starlark.Value {
	l := plan.Logs{Size: get[plan.Size](a, "size"), Keep: int(clampInt(get[int64](a, "keep"))), MaxAge: get[plan.Duration](a, "max_age"),
		Compress: get[bool](a, "compress"), Timestamps: get[bool](a, "timestamps"), Rate: int(clampInt(get[int64](a, "rate"))), Burst: int(clampInt(get[int64](a, "burst")))}
	if get[string](a, "format") == string(plan.LogJSON) {
		l.Format = plan.LogJSON
	}
	if to := optional[string](a, "forward"); to != nil {
		l.Forward = plan.LogForward(*to)
	}
	if a.given("burst") == nil {
		l.Burst = l.Rate * 5
	}
	return &Handle{in: r, word: "logs", call: a.call, made: l}
}
