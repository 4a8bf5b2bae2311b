package builtins

import (
	"go.starlark.net/starlark"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func runDirectory(r *Recording, a *arguments) starlark.Value {
	d := plan.Directory{Path: get[expr.Expr](a, "path"), Owner: get[string](a, "owner"), Group: get[string](a, "group"), Mode: get[plan.Mode](a, "mode")}
	if d.Path.IsZero() {
		return unknown{}
	}
	return &Handle{in: r, word: "directory", call: a.call, made: d, path: d.Path}
}

func runTemplate(r *Recording, a *arguments) starlark.Value {
	t := plan.Template{Path: get[expr.Expr](a, "path"), Text: formatted(r, a, "text"), Owner: get[string](a, "owner"), Group: get[string](a, "group"), Mode: get[plan.Mode](a, "mode")}
	if t.Path.IsZero() {
		return unknown{}
	}
	if t.Text.IsZero() {
		a.call.spoil(Whole("text"))
		t.Text = expr.TextOf("")
	}
	return &Handle{in: r, word: "template", call: a.call, made: t, path: t.Path}
}

func runRun(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "run", call: a.call, made: plan.Run{Command: get[[]expr.Expr](a, "command"), Timeout: get[plan.Duration](a, "timeout")}}
}

func runRequireFreeSpace(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "require_free_space", call: a.call, made: plan.RequireFreeSpace{Path: get[expr.Expr](a, "path"), Size: get[expr.Expr](a, "size")}}
}

func runRequirePortFree(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "require_port_free", call: a.call, made: plan.RequirePortFree{Port: get[expr.Expr](a, "port")}}
}

func runCopy(r *Recording, a *arguments) starlark.Value {
	c := plan.Copy{Source: get[expr.Expr](a, "source"), Path: get[expr.Expr](a, "path"), Once: get[bool](a, "once"),
		Owner: get[string](a, "owner"), Group: get[string](a, "group"), Mode: get[plan.Mode](a, "mode")}
	if c.Path.IsZero() {
		return unknown{}
	}
	return &Handle{in: r, word: "copy", call: a.call, made: c, path: c.Path}
}

func runSymlink(r *Recording, a *arguments) starlark.Value {
	l := plan.Symlink{Path: get[expr.Expr](a, "path"), Target: get[expr.Expr](a, "target")}
	if l.Path.IsZero() {
		return unknown{}
	}
	return &Handle{in: r, word: "symlink", call: a.call, made: l, path: l.Path}
}

func runWaitFor(r *Recording, a *arguments) starlark.Value {
	for _, name := range []string{"port", "socket", "path"} {
		if a.given(name) != nil && get[expr.Expr](a, name).IsZero() {
			return unknown{} // reported; that nothing is waited for is no second mistake
		}
	}
	return &Handle{in: r, word: "wait_for", call: a.call, made: plan.WaitFor{Port: get[expr.Expr](a, "port"), Host: get[string](a, "host"),
		Socket: get[expr.Expr](a, "socket"), Path: get[expr.Expr](a, "path"), Timeout: get[plan.Duration](a, "timeout")}}
}

func runRequireFile(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "require_file", call: a.call, made: plan.RequireFile{Path: get[expr.Expr](a, "path"), Executable: get[bool](a, "executable")}}
}

func runRequireMemory(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "require_memory", call: a.call, made: plan.RequireMemory{Size: get[expr.Expr](a, "size")}}
}

func runRequireMount(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "require_mount", call: a.call, made: plan.RequireMount{Path: get[expr.Expr](a, "path")}}
}

func runRequireWritable(r *Recording, a *arguments) starlark.Value {
	return &Handle{in: r, word: "require_writable", call: a.call, made: plan.RequireWritable{Path: get[expr.Expr](a, "path")}}
}

// stepOf is the prepare step that a handle means. A packaged file is one that has to be there.
func stepOf(h *Handle) plan.Step {
	switch v := h.made.(type) {
	case plan.Content:
		return plan.Step{RequireFile: &plan.RequireFile{Path: h.path, Executable: v.Mode&0o111 != 0}}
	case plan.Directory:
		return plan.Step{Directory: &v}
	case plan.Template:
		return plan.Step{Template: &v}
	case plan.Run:
		return plan.Step{Run: &v}
	case plan.Copy:
		return plan.Step{Copy: &v}
	case plan.Symlink:
		return plan.Step{Symlink: &v}
	case plan.WaitFor:
		return plan.Step{WaitFor: &v}
	case plan.RequireFile:
		return plan.Step{RequireFile: &v}
	case plan.RequireFreeSpace:
		return plan.Step{RequireFreeSpace: &v}
	case plan.RequireMemory:
		return plan.Step{RequireMemory: &v}
	case plan.RequireMount:
		return plan.Step{RequireMount: &v}
	case plan.RequirePortFree:
		return plan.Step{RequirePortFree: &v}
	case plan.RequireWritable:
		return plan.Step{RequireWritable: &v}
	}
	return plan.Step{}
}
