package builtins

import (
	"fmt"
	"sort"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// host is the word whose attributes are the facts of the host.
type host struct{ in *Recording }

var _ starlark.HasAttrs = host{}

func (host) String() string       { return "host" }
func (host) Type() string         { return "host" }
func (host) Freeze()              {}
func (host) Truth() starlark.Bool { return true }
func (host) Hash() (uint32, error) {
	return 0, &refusal{message: "host cannot be a key", code: plan.CodeKind}
}

// Attr gives a fact as an expression.
func (h host) Attr(name string) (starlark.Value, error) {
	kind, ok := expr.FactKinds()[name]
	if !ok {
		hint := plan.Nearest(name, h.AttrNames())
		if hint == "" {
			hint = "flag declares what an operator sets on a host"
		}
		h.in.report(h.in.operator("host"), callee(), diag.Diagnostic{Code: CodeUnknownFact, Message: fmt.Sprintf("the host has no fact %q", clip(name, 40)),
			Accepted: strings.Join(h.AttrNames(), ", "), Hint: hint})
		return unknown{}, nil
	}
	return leaf(h.in, expr.HostOf(name), kind), nil
}

// AttrNames lists the facts.
func (host) AttrNames() []string {
	names := []string{}
	for name := range expr.FactKinds() {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
