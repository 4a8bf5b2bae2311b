package builtins

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

var probedType = &Type{"probe", `an item of recipe.probes, as in evaluate("foo.star").probes()[0], or a function that script takes`, readProbed} // *probed or *starlark.Function

func readProbed(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case *probed:
		return v
	case *starlark.Function:
		return v
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

func runProbe(b Bench) func(*Recording, *arguments) starlark.Value {
	return func(r *Recording, a *arguments) starlark.Value {
		if len(a.call.spoilt) > 0 {
			return unknown{}
		}
		p := get[*probed](a, "probe")
		fault := (*Fault)(nil)
		switch f := get[*starlark.Function](a, "probe"); {
		case f != nil:
			p, fault = called(b, a, f)
		case a.given("arguments") != nil:
			fault = &Fault{"arguments", diag.Diagnostic{Code: plan.CodeKind, Message: "the recipe gives the arguments of its probe", Hint: "give the function itself in place of the probe"}}
		}
		given, ok := Given{}, fault == nil
		if ok {
			given, ok = givenOf(r, a, p.Probe)
		}
		if !ok {
			if fault != nil {
				r.report(a.call, Whole(fault.Parameter), fault.Diagnostic)
			}
			return unknown{}
		}
		return answer{b.Judge(p.Probed, given)}
	}
}

// called is a probe that calls a function of the test's, on a host without flags.
func called(b Bench, a *arguments, f *starlark.Function) (*probed, *Fault) {
	script, err := b.Keep(f)
	if err != nil {
		return nil, &Fault{"probe", diag.Diagnostic{Code: plan.CodeKind, Message: err.Error(), Hint: "a function that is called later stands at the top level of its file"}}
	}
	p := &plan.Probe{Timeout: 2000, Script: &plan.ScriptProbe{Script: *script, Arguments: get[[]plan.Binding](a, "arguments")}}
	return &probed{Probed: Probed{Plan: &plan.Plan{}, Service: &plan.Service{}, Probe: p, Env: &expr.Env{Facts: TestFacts()}}}, nil
}

// Probed is a probe of a service on the host of a test.
type Probed struct {
	Plan    *plan.Plan
	Service *plan.Service
	Probe   *plan.Probe
	Env     *expr.Env
}

// probed is a probe of a recipe that was evaluated, with its fields in the plan.
type probed struct {
	Probed
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
