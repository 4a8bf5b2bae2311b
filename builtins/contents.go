package builtins

import (
	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// runContent is file and config.
func runContent(r *Recording, a *arguments) starlark.Value {
	return content(r, a, plan.Content{Kind: plan.ContentKind(a.call.Word), Source: get[string](a, "source"),
		Mode: get[plan.Mode](a, "mode"), Owner: get[string](a, "owner"), Group: get[string](a, "group")})
}

func runTree(r *Recording, a *arguments) starlark.Value {
	return content(r, a, plan.Content{Kind: plan.ContentTree, Source: get[string](a, "source"), Exclude: get[[]string](a, "exclude"), Mode: get[plan.Mode](a, "mode")})
}

func content(r *Recording, a *arguments, c plan.Content) starlark.Value {
	path, ok := r.fixed(a.call, "path", get[expr.Expr](a, "path"))
	if !ok {
		return unknown{}
	}
	c.Path = path
	return &Handle{in: r, word: a.call.Word, call: a.call, made: c, path: expr.PathOf(path)}
}

// contentOf is what a handle means in a package. Directories and links are prepare steps as well, which may depend on the
// host: a package's may not.
func (r *Recording) contentOf(h *Handle) plan.Content {
	switch v := h.made.(type) {
	case plan.Directory:
		path, _ := r.fixed(h.call, "path", v.Path)
		return plan.Content{Kind: plan.ContentDirectory, Path: path, Mode: v.Mode, Owner: v.Owner, Group: v.Group}
	case plan.Symlink:
		path, _ := r.fixed(h.call, "path", v.Path)
		c := plan.Content{Kind: plan.ContentSymlink, Path: path, Target: v.Target.Text}
		if v.Target.Op != expr.OpText {
			c.Target, _ = r.fixed(h.call, "target", v.Target)
		}
		return c
	}
	return made[plan.Content](h)
}

// fixed wants a path that no flag or fact decides.
func (r *Recording) fixed(call *Call, parameter string, e expr.Expr) (string, bool) {
	if e.Op != expr.OpPath && !call.Spoilt(Whole(parameter)) {
		r.report(call, Whole(parameter), diag.Diagnostic{Code: plan.CodePath, Message: "the path of a packaged file is fixed when the package is built",
			Found: notation(e), Accepted: `a text with an absolute path, as in "/etc/foo/foo.conf"`})
	}
	return e.Text, !call.Spoilt(Whole(parameter))
}
