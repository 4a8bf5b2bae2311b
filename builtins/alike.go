package builtins

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// chosen is one of some values that are alike. Where a host value is among them it has their kind, which a text such as
// "1GiB" beside a size would not show.
func chosen(r *Recording, given []starlark.Value, values []*Value, i int) starlark.Value {
	for _, v := range given {
		if _, ok := v.(*Value); ok {
			made := *values[i]
			made.in = r
			return &made
		}
	}
	return given[i]
}

func anyUnknown(values ...starlark.Value) bool {
	return slices.ContainsFunc(values, func(v starlark.Value) bool { return v != nil && isUnknown(v) })
}

// alike reads values that stand for one another: of one kind, which a host value or a handle among them decides. Texts
// beside a size, a duration or a path are read as such.
func alike(given []starlark.Value) ([]*Value, error) {
	kind := expr.Kind("")
	for _, v := range given {
		if host, ok := v.(*Value); ok {
			kind = host.kind
			break
		}
		if h, ok := v.(*Handle); ok && !h.path.IsZero() {
			kind = expr.Path
		}
	}
	values := make([]*Value, len(given))
	for i, v := range given {
		read, err := member(v, kind)
		if err != nil {
			return nil, err
		}
		values[i] = read
	}
	if a, b := unlike(values); a != b {
		return nil, &refusal{message: fmt.Sprintf("a value of type %s and one of type %s do not go together", a, b), hint: alikeHint(values)}
	}
	if kind := values[0].kind; !kind.Scalar() {
		return nil, &refusal{code: plan.CodeKind, message: fmt.Sprintf("a %s can be neither chosen nor compared on a host", kind)}
	}
	return values, nil
}

// member is one of some values that are alike, beside a value of that kind, or of none.
func member(v starlark.Value, kind expr.Kind) (*Value, error) {
	switch v := v.(type) {
	case *Handle:
		if !v.path.IsZero() {
			path := leaf(nil, v.path, expr.Path)
			path.nodes, path.depth = size(v.path), levels(v.path)
			return path, nil
		}
	case starlark.Bool:
		return leaf(nil, expr.BoolOf(bool(v)), expr.Bool), nil
	case starlark.String:
		switch kind {
		case expr.Size, expr.Duration:
			return operand(v, kind)
		case expr.Path:
			if err := expr.CheckPath(string(v)); err != nil {
				return nil, &refusal{code: plan.CodePath, message: err.Error()}
			}
			return leaf(nil, expr.PathOf(string(v)), expr.Path), nil
		}
		return leaf(nil, expr.TextOf(string(v)), expr.Text), nil
	case starlark.Int, *Value:
		return operand(v, kind)
	}
	return nil, &refusal{code: plan.CodeKind, message: fmt.Sprintf("%s cannot be chosen or compared on a host", describe(v)),
		hint: "texts, numbers, truth values, handles, flags and facts of the host can"}
}

func alikeHint(values []*Value) string {
	for _, v := range values {
		if v.kind == expr.Path {
			return `fmt("{}", path) is a path as a text`
		}
	}
	return unitHint(values)
}

// enum is the values of a flag that has a list of them.
func (r *Recording) enum(e expr.Expr) []string {
	if e.Op != expr.OpFlag {
		return nil
	}
	for _, f := range r.Flags {
		if f.Name == e.Text && f.Type == plan.FlagEnum {
			return f.Values
		}
	}
	return nil
}

// never refuses to compare a value with a text that it cannot be, which would be false on every host and never say so.
func (r *Recording) never(v, text *Value) error {
	if v.kind != expr.Text || text.expr.Op != expr.OpText {
		return nil
	}
	found := text.expr.Text
	values := r.enum(v.expr)
	if len(values) > 0 && !slices.Contains(values, found) {
		return &refusal{code: plan.CodeChoice, message: fmt.Sprintf("%s is never %s: it is one of %s", v, text, strings.Join(values, ", ")), hint: plan.Nearest(clip(found, 80), values)}
	}
	kernel := map[string]string{"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}[found]
	if v.expr.Op == expr.OpHost && v.expr.Text == "arch" && kernel != "" {
		return &refusal{code: plan.CodeChoice, message: fmt.Sprintf("%s is never %s: it is what uname -m says", v, text), hint: fmt.Sprintf("write %q", kernel)}
	}
	return nil
}
