package builtins

import (
	"fmt"
	"sort"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// The types of parameters of probes. Each reads into the Go type named beside it.
var (
	bytesType     = &Type{"text or bytes", `a text, as in "PING\r\n", or bytes, as in b"\x00\x01"`, readBytes}                                            // plan.Bytes
	roundsType    = &Type{"list of rounds", `pairs of what is sent and what is expected, as in [("EHLO a\r\n", "250"), ("QUIT\r\n", "221")]`, readRounds} // []plan.Round
	headersType   = &Type{"dict", `names and texts, as in {"Accept": "text/plain"}`, readHeaders}                                                         // []plan.Header
	laterType     = &Type{"function", "a function of the file's top level, as in def check(probe): ...", readLater}                                       // *starlark.Function
	argumentsType = &Type{"dict", `names and values, as in {"port": port}`, readArguments}                                                                // []plan.Binding
	statusType    = &Type{"status", `a number, a range or a list of both, as in 200, range(200, 300) or [200, 404]`, readStatus}                          // plan.Statuses
)

func readBytes(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		return plan.Bytes(v)
	case starlark.Bytes:
		return plan.Bytes(v)
	}
	return readText(it, v) // reports
}

func readRounds(it *item, v starlark.Value) any {
	list, ok := elements[plan.Round](it, v, func(e *item, x starlark.Value) any {
		pair, ok := x.(starlark.Sequence)
		if _, text := x.(starlark.String); !ok || text || pair.Len() != 2 {
			return e.mismatch(x, `a pair, as in ("PING\r\n", "PONG")`, "")
		}
		var round plan.Round
		iter := pair.Iterate()
		defer iter.Done()
		for _, into := range []*plan.Bytes{&round.Send, &round.Expect} {
			var half starlark.Value
			iter.Next(&half)
			switch half := half.(type) {
			case starlark.String:
				*into = plan.Bytes(half)
			case starlark.Bytes:
				*into = plan.Bytes(half)
			case unknown:
				return nil // reported
			default:
				return e.mismatch(half, `two texts, as in ("PING\r\n", "PONG")`, "")
			}
		}
		return round
	})
	if !ok {
		return nil
	}
	if len(list) == 0 {
		return it.fault(diag.Diagnostic{Code: plan.CodeMissing, Message: "the exchange has no rounds", Accepted: it.parameter.Type.Accepted})
	}
	return list
}

func readHeaders(it *item, v starlark.Value) any {
	d, ok := v.(*starlark.Dict)
	if !ok {
		return it.mismatch(v, it.parameter.Type.Accepted, "")
	}
	var list []plan.Header
	for _, kv := range d.Items() {
		name, ok := kv[0].(starlark.String)
		if !ok {
			it.mismatch(kv[0], "texts as names", "")
			continue
		}
		if value, ok := readText(it.entry(string(name)), kv[1]).(string); ok {
			list = append(list, plan.Header{Name: string(name), Value: value})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// readStatus takes a number, what range gives, or a list of both.
func readStatus(it *item, v starlark.Value) any {
	if list, ok := v.(*starlark.List); ok {
		var all plan.Statuses
		for i := range list.Len() {
			one, ok := readStatus(it.element(i), list.Index(i)).(plan.Statuses)
			if !ok {
				return nil
			}
			all = append(all, one...)
		}
		return all
	}
	if n, ok := v.(starlark.Int); ok {
		code, _ := n.Int64()
		return plan.Status(int(clampInt(code)))
	}
	if span, ok := v.(starlark.Indexable); ok && v.Type() == "range" {
		n := span.Len()
		if n == 0 {
			return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "the range is empty", Found: show(v)})
		}
		first, _ := starlark.AsInt32(span.Index(0))
		last, _ := starlark.AsInt32(span.Index(n - 1))
		if last-first != n-1 {
			return it.fault(diag.Diagnostic{Code: plan.CodeRange, Message: "a range of statuses has no gaps", Found: show(v), Accepted: "range(200, 300)"})
		}
		return plan.Statuses{{First: first, Last: last}}
	}
	return it.mismatch(v, it.parameter.Type.Accepted, fixedHint(it, v))
}

func runTCP(r *Recording, a *arguments) starlark.Value {
	p := timing(a)
	p.TCP = &plan.TCPProbe{Host: hostOf(a), Port: get[expr.Expr](a, "port"), Unix: get[expr.Expr](a, "unix"), TLS: tlsOf(r, a), Send: get[plan.Bytes](a, "send"),
		Expect: get[plan.Bytes](a, "expect"), Exchange: get[[]plan.Round](a, "exchange"), ConnectOnly: get[bool](a, "connect_only")}
	return &Handle{in: r, word: "tcp", call: a.call, made: p}
}

func runHTTP(r *Recording, a *arguments) starlark.Value {
	p := timing(a)
	p.HTTP = &plan.HTTPProbe{Host: hostOf(a), Port: get[expr.Expr](a, "port"), Unix: get[expr.Expr](a, "unix"), TLS: tlsOf(r, a), Path: get[string](a, "path"),
		Headers: get[[]plan.Header](a, "headers"), Body: get[plan.Bytes](a, "body"), Status: get[plan.Statuses](a, "status"), Expect: get[plan.Bytes](a, "expect")}
	if method := get[string](a, "method"); method != "GET" {
		p.HTTP.Method = method
	}
	return &Handle{in: r, word: "http", call: a.call, made: p}
}

func readLater(it *item, v starlark.Value) any {
	if f, ok := v.(*starlark.Function); ok {
		return f
	}
	return it.mismatch(v, it.parameter.Type.Accepted, "give the function itself, and not what a call of it returns")
}

func readArguments(it *item, v starlark.Value) any {
	d, ok := v.(*starlark.Dict)
	if !ok {
		return it.mismatch(v, it.parameter.Type.Accepted, "")
	}
	var list []plan.Binding
	for _, kv := range d.Items() {
		name, ok := kv[0].(starlark.String)
		if !ok {
			it.mismatch(kv[0], "texts as names", "")
			continue
		}
		value, err := Data(kv[1])
		if err != nil {
			it.entry(string(name)).fault(diag.Diagnostic{Code: plan.CodeKind, Message: err.Error()})
			continue
		}
		list = append(list, plan.Binding{Name: string(name), Value: value})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// Kept is a function that a recipe wants to be called later. What it needs is known when the recipe has run.
type Kept struct {
	Function *starlark.Function
	Into     *plan.Script
	Steps    bool // it may use the words that make steps

	call      *Call
	parameter string
}

// Kept are the functions that are to be called later.
func (r *Recording) Kept() []Kept { return r.kept }

// Refuse records why a function cannot be called later.
func (r *Recording) Refuse(k Kept, d diag.Diagnostic) { r.report(k.call, Whole(k.parameter), d) }

func runScript(r *Recording, a *arguments) starlark.Value {
	p := timing(a)
	p.Script = &plan.ScriptProbe{Arguments: get[[]plan.Binding](a, "arguments")}
	if f := get[*starlark.Function](a, "function"); f != nil {
		r.kept = append(r.kept, Kept{Function: f, Into: &p.Script.Script, call: a.call, parameter: "function"})
	}
	return &Handle{in: r, word: "script", call: a.call, made: p}
}

func runExec(r *Recording, a *arguments) starlark.Value {
	p := timing(a)
	p.Exec = &plan.ExecProbe{Command: get[[]expr.Expr](a, "command")}
	return &Handle{in: r, word: "exec", call: a.call, made: p}
}

func runNotify(r *Recording, a *arguments) starlark.Value {
	p := heard(a)
	p.Notify = &plan.NotifyProbe{Descriptor: int(clampInt(get[int64](a, "descriptor")))}
	switch {
	case p.Role == plan.RoleLiveness:
		p.Every = 10_000
		if a.given("every") != nil {
			p.Every = get[plan.Duration](a, "every")
		}
		if a.given("failures") != nil {
			p.Failures = int(clampInt(get[int64](a, "failures")))
		}
	default:
		for _, name := range []string{"every", "failures"} {
			if a.given(name) != nil && !a.call.Spoilt(Whole("role")) {
				r.report(a.call, Whole(name), diag.Diagnostic{Code: plan.CodeKind, Message: name + " is of a daemon that says time and again that it is alive, and this probe hears once that it is ready",
					Hint: `notify(role = "liveness", every = "30s") beside it`})
			}
		}
	}
	return &Handle{in: r, word: "notify", call: a.call, made: p}
}

func runLogLine(r *Recording, a *arguments) starlark.Value {
	p := heard(a)
	p.LogLine = &plan.LogProbe{Pattern: get[string](a, "pattern")}
	return &Handle{in: r, word: "log_line", call: a.call, made: p}
}

// heard is what every probe has that asks nothing.
func heard(a *arguments) plan.Probe {
	p := plan.Probe{Role: plan.Role(get[string](a, "role")), Failures: 1, Successes: 1, StartWithin: get[plan.Duration](a, "start_within")}
	if p.Role == "liveness" {
		p.Role = plan.RoleLiveness
	}
	return p
}

// hostOf is none for the path of a socket, unless the recipe gives one, which validation refuses.
func hostOf(a *arguments) string {
	if a.given("unix") != nil && a.given("host") == nil {
		return ""
	}
	return get[string](a, "host")
}

// tlsOf refuses what says how TLS is spoken where it is not spoken at all: it would be a probe in the clear that looks
// like one that is not.
func tlsOf(r *Recording, a *arguments) *plan.TLS {
	if get[bool](a, "tls") {
		return &plan.TLS{ServerName: get[string](a, "server_name"), CA: get[expr.Expr](a, "ca"), Insecure: get[bool](a, "insecure")}
	}
	for _, name := range []string{"server_name", "ca", "insecure"} {
		if v := a.given(name); v != nil && v != starlark.False && !a.call.Spoilt(Whole("tls")) {
			r.report(a.call, Whole(name), diag.Diagnostic{Code: plan.CodeKind, Message: fmt.Sprintf("%s says how TLS is spoken, and this probe speaks none", name), Hint: "add tls = True"})
		}
	}
	return nil
}

// timing is what every probe has.
func timing(a *arguments) plan.Probe {
	p := plan.Probe{Role: plan.Role(get[string](a, "role")), Every: get[plan.Duration](a, "every"), Timeout: get[plan.Duration](a, "timeout"), Failures: int(clampInt(get[int64](a, "failures"))),
		Successes: int(clampInt(get[int64](a, "successes"))), StartWithin: get[plan.Duration](a, "start_within")}
	if p.Role == "liveness" {
		p.Role = plan.RoleLiveness
	}
	return p
}
