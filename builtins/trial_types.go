package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

var (
	recipeType   = &Type{"recipe", `a path, as in "foo.star", or a function that declares`, readRecipe}           // string or starlark.Callable
	settingsType = &Type{"dict", `values of flags by name, as in {"port": 9000}`, readSettings}                   // []string, name=value
	hostType     = &Type{"dict", `facts by name, as in {"cpus": 2, "memory": "1GiB"}`, readFacts}                 // *expr.Facts
	probedType   = &Type{"probe", `an item of recipe.probes, as in evaluate("foo.star").probes()[0]`, readProbed} // *probed
)

func readRecipe(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		return string(v)
	case starlark.Callable:
		return v
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

func readProbed(it *item, v starlark.Value) any {
	if p, ok := v.(*probed); ok {
		return p
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "")
}

// entries calls each for the entries of a dict with texts for keys.
func entries(it *item, v starlark.Value, each func(e *item, name string, v starlark.Value)) bool {
	d, ok := v.(*starlark.Dict)
	if !ok {
		it.mismatch(v, it.parameter.Type.Accepted, "")
		return false
	}
	for _, kv := range d.Items() {
		name, ok := starlark.AsString(kv[0])
		if !ok {
			it.mismatch(kv[0], "a text for each key", "")
			continue
		}
		each(it.entry(name), name, kv[1])
	}
	return true
}

func readSettings(it *item, v starlark.Value) any {
	sets := []string{}
	entries(it, v, func(e *item, name string, v starlark.Value) {
		text, ok := setting(v)
		if !ok {
			e.mismatch(v, "a text, a whole number, or True or False", "write it as an operator would, as a text")
			return
		}
		sets = append(sets, name+"="+text)
	})
	return sets
}

// setting writes a flag's value as an operator would.
func setting(v starlark.Value) (string, bool) {
	switch v := v.(type) {
	case starlark.String:
		return string(v), true
	case starlark.Int:
		return v.String(), true
	case starlark.Bool:
		return strings.ToLower(v.String()), true
	}
	return "", false
}

func readFacts(it *item, v starlark.Value) any {
	facts := TestFacts()
	text := *it.parameter
	entries(it, v, func(e *item, name string, v starlark.Value) {
		e.parameter = &text
		switch name {
		case "cpus":
			text.Type = intType
			if n, ok := readInt(e, v).(int64); ok {
				facts.CPUs = n
			}
		case "memory":
			text.Type = sizeType
			if n, ok := readSize(e, v).(plan.Size); ok {
				facts.Memory = int64(n)
			}
		case "name":
			text.Type = textType
			facts.Name, _ = readText(e, v).(string)
		case "arch":
			text.Type = textType
			facts.Arch, _ = readText(e, v).(string)
		default:
			names := []string{"cpus", "memory", "name", "arch"}
			e.part.Keyword = true
			e.fault(diag.Diagnostic{Code: CodeUnknownFact, Message: "a host has no such fact", Found: fmt.Sprintf("%q", name), Accepted: strings.Join(names, ", "), Hint: plan.Nearest(name, names)})
		}
	})
	return &facts
}

func runGolden(b Bench) func(*Recording, *arguments) starlark.Value {
	return func(r *Recording, a *arguments) starlark.Value {
		if len(a.call.spoilt) == 0 {
			if fault := b.Golden(get[string](a, "name"), get[string](a, "text")); fault != nil {
				r.report(a.call, Whole(fault.Parameter), fault.Diagnostic)
			}
		}
		return starlark.None
	}
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
