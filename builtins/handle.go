package builtins

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Handle is what a word returns: the part of a plan that it made. One with a path can stand wherever a path or a value
// is wanted.
type Handle struct {
	in   *Recording
	word string
	call *Call
	made any       // a type of package plan
	path expr.Expr // zero when there is none
	name string    // of an account or a service
}

// String is the notation that a message shows.
func (h *Handle) String() string {
	switch {
	case h.name != "":
		return fmt.Sprintf("%s(%q)", h.word, h.name)
	case !h.path.IsZero():
		return fmt.Sprintf("%s(%s)", h.word, notation(h.path))
	}
	return h.word + "(...)"
}

// Path is the path that it stands for, or "" where there is none that is known without a host.
func (h *Handle) Path() string {
	if h.path.Op != expr.OpPath {
		return ""
	}
	return h.path.Text
}

// Type is the word that made it.
func (h *Handle) Type() string { return h.word }

// Freeze does nothing: a Handle never changes.
func (h *Handle) Freeze() {}

// Truth is that of every thing that is there.
func (h *Handle) Truth() starlark.Bool { return true }

// Hash refuses to be a key.
func (h *Handle) Hash() (uint32, error) {
	return 0, &refusal{message: fmt.Sprintf("%s cannot be a key", h), code: plan.CodeKind, hint: "use a text"}
}

var _ starlark.HasBinary = (*Handle)(nil)

// Binary refuses to be joined to texts: the path that a handle comes to has the root of the run in front.
func (h *Handle) Binary(op syntax.Token, other starlark.Value, side starlark.Side) (starlark.Value, error) {
	if isUnknown(other) {
		return unknown{}, nil
	}
	if _, ok := other.(starlark.String); !ok || h.path.IsZero() {
		return nil, nil // Starlark's own error names both types
	}
	return h.in.refuseOperator(op, &refusal{message: fmt.Sprintf("%s cannot be joined to a text: its path is known only where the service starts", h),
		hint: fmtHint(other, side)}), nil
}
