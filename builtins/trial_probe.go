package builtins

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

var probedType = &Type{"probe", `an item of recipe.probes, as in evaluate("foo.star").probes()[0]`, readProbed} // *probed

func readProbed(it *item, v starlark.Value) any {
	if p, ok := v.(*probed); ok {
		return p
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

func runProbe(b Bench) func(*Recording, *arguments) starlark.Value {
	return func(r *Recording, a *arguments) starlark.Value {
		p := get[*probed](a, "probe")
		if p == nil || len(a.call.spoilt) > 0 {
			return unknown{}
		}
		reply, ok := replyOf(r, a, p.probe)
		if !ok {
			return unknown{}
		}
		reason, fault := b.Judge(p.probe, p.env, reply)
		if fault != nil {
			r.report(a.call, Whole(fault.Parameter), fault.Diagnostic)
			return unknown{}
		}
		return answer{reason}
	}
}

// replyOf is what the daemon says: reply as it is, or an HTTP reply of a status and a body.
func replyOf(r *Recording, a *arguments, p *plan.Probe) ([]byte, bool) {
	composed := a.given("status") != nil || a.given("body") != nil
	refuse := func(parameter, message, accepted string) ([]byte, bool) {
		r.report(a.call, Whole(parameter), diag.Diagnostic{Code: plan.CodeKind, Message: message, Accepted: accepted})
		return nil, false
	}
	switch {
	case a.given("reply") != nil && composed:
		return refuse("reply", "a reply is given as it is, or as a status and a body", "one of the two")
	case a.given("reply") != nil:
		return []byte(get[string](a, "reply")), true
	case !composed:
		return refuse("probe", "there is no reply to judge", `reply = "...", or status and body of an http probe`)
	case p.HTTP == nil:
		return refuse("probe", "only the reply to an http probe has a status and a body", `reply = "..."`)
	}
	status, body := int64(200), get[string](a, "body")
	if a.given("status") != nil {
		status = get[int64](a, "status")
	}
	if status < 100 || status > 999 {
		return refuse("status", "this is no status of HTTP", "100 to 999")
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(body), body), true
}

// probed is a probe of a recipe that was evaluated.
type probed struct {
	probe  *plan.Probe
	env    *expr.Env
	fields *starlark.Dict
}

var _ starlark.HasAttrs = (*probed)(nil)

func (p *probed) String() string        { return p.fields.String() }
func (p *probed) Type() string          { return "probe" }
func (p *probed) Freeze()               {}
func (p *probed) Truth() starlark.Bool  { return true }
func (p *probed) Hash() (uint32, error) { return 0, fmt.Errorf("a probe cannot be a key") }

// Attr is a field of the plan's probe.
func (p *probed) Attr(name string) (starlark.Value, error) {
	v, ok, _ := p.fields.Get(starlark.String(name))
	if !ok {
		return nil, nil
	}
	return v, nil
}

// AttrNames are the fields that are there.
func (p *probed) AttrNames() []string {
	var names []string
	for _, k := range p.fields.Keys() {
		names = append(names, string(k.(starlark.String)))
	}
	return names
}

// answer is what a probe makes of a reply; it counts as true when it is healthy.
type answer struct{ reason string }

var (
	_ starlark.HasAttrs   = answer{}
	_ starlark.Comparable = answer{}
)

func (v answer) String() string {
	if v.reason == "" {
		return "healthy"
	}
	return "not healthy: " + v.reason
}

func (v answer) Type() string          { return "answer" }
func (v answer) Freeze()               {}
func (v answer) Truth() starlark.Bool  { return v.reason == "" }
func (v answer) Hash() (uint32, error) { return 0, fmt.Errorf("an answer cannot be a key") }
func (v answer) AttrNames() []string   { return []string{"healthy", "reason"} }

// Attr is healthy or reason.
func (v answer) Attr(name string) (starlark.Value, error) {
	switch name {
	case "healthy":
		return v.Truth(), nil
	case "reason":
		return starlark.String(v.reason), nil
	}
	return nil, nil
}

// CompareSameType is for == and != alone.
func (v answer) CompareSameType(op syntax.Token, other starlark.Value, _ int) (bool, error) {
	switch op {
	case syntax.EQL:
		return v == other.(answer), nil
	case syntax.NEQ:
		return v != other.(answer), nil
	}
	return false, fmt.Errorf("answers have no order")
}
