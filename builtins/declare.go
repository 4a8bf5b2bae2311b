package builtins

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func runFlag(r *Recording, a *arguments) starlark.Value {
	f := plan.Flag{Name: get[string](a, "name"), Type: plan.FlagType(get[string](a, "type")), Help: get[string](a, "help"), Values: get[[]string](a, "values")}
	kind, ok := f.Type.Kind()
	if !ok || f.Name == "" {
		return unknown{} // reported; what the flag comes to cannot be known
	}
	f.Min, f.Max = bound(r, a, "min", f.Type, kind), bound(r, a, "max", f.Type, kind)
	if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
		r.report(a.call, Whole("min"), diag.Diagnostic{Code: plan.CodeRange, Message: "min is above max", Found: fmt.Sprintf("%s and %s", show(a.given("min")), show(a.given("max")))},
			Other{a.call, Whole("max"), "max"})
		a.call.spoil(Whole("default"))
	}
	if f.Type == plan.FlagEnum && len(f.Values) == 0 && !a.call.Spoilt(Whole("values")) {
		r.report(a.call, Whole("values"), diag.Diagnostic{Code: plan.CodeMissing, Message: "an enum needs its values", Accepted: `values = ["a", "b"]`})
		a.call.spoil(Whole("default"))
	}
	f.Apply = plan.Apply{Action: plan.ApplyRestart}
	if apply := get[*plan.Apply](a, "apply"); apply != nil {
		f.Apply = *apply
	}
	if v := a.given("default"); v != nil && !a.call.Spoilt(Whole("default")) {
		it := item{recording: r, call: a.call, parameter: &a.call.word.Parameters[a.index("default")], part: Whole("default")}
		f.Default, _ = readDefault(&it, v, f.Type, kind).(expr.Expr)
	}
	if f.Default.IsZero() {
		a.call.spoil(Whole("default"))
		f.Default = expr.TextOf("")
	}
	r.Flags = append(r.Flags, f)
	r.flags = append(r.flags, a.call)
	return leaf(r, expr.FlagOf(f.Name), kind)
}

// readDefault reads the default of a flag as a value of the flag's kind: sizes, durations and paths are texts.
func readDefault(it *item, v starlark.Value, t plan.FlagType, kind expr.Kind) any {
	if host, ok := v.(*Value); ok {
		if host.kind == kind {
			return host.expr
		}
		return it.mismatch(v, "a value of type "+string(t), "")
	}
	as := *it
	parameter := *it.parameter
	as.parameter = &parameter
	switch kind {
	case expr.Int:
		parameter.Type = intType
		if t == plan.FlagPort {
			return readPort(&as, v)
		}
		if n, ok := readInt(&as, v).(int64); ok {
			return expr.IntOf(n)
		}
	case expr.Bool:
		parameter.Type = boolType
		if b, ok := readBool(&as, v).(bool); ok {
			return expr.BoolOf(b)
		}
	case expr.Size:
		parameter.Type = sizeType
		if n, ok := readSize(&as, v).(plan.Size); ok {
			return expr.SizeOf(int64(n))
		}
	case expr.Duration:
		parameter.Type = durationType
		if n, ok := readDuration(&as, v).(plan.Duration); ok {
			return expr.DurationOf(int64(n))
		}
	case expr.Path:
		parameter.Type = pathType
		return readPath(&as, v)
	case expr.Text:
		parameter.Type = textType
		if s, ok := readText(&as, v).(string); ok {
			return expr.TextOf(s)
		}
	}
	return nil
}

// bound reads min or max: a number for an int or a port, a text with a unit for a size or a duration.
func bound(r *Recording, a *arguments, name string, t plan.FlagType, kind expr.Kind) *int64 {
	v := a.given(name)
	if v == nil || a.call.Spoilt(Whole(name)) {
		return nil
	}
	parameter := a.call.word.Parameters[a.index(name)]
	it := item{recording: r, call: a.call, parameter: &parameter, part: Whole(name)}
	var n int64
	var ok bool
	switch kind {
	case expr.Int:
		parameter.Type = intType
		n, ok = readInt(&it, v).(int64)
	case expr.Size:
		parameter.Type = sizeType
		n, ok = units(&it, v, expr.ParseSize, "MiB")
	case expr.Duration:
		parameter.Type = durationType
		n, ok = units(&it, v, expr.ParseDuration, "s")
	default:
		it.fault(diag.Diagnostic{Code: plan.CodeKind, Message: fmt.Sprintf("a flag of type %s has no %s", t, name), Hint: "int, port, size and duration have; an enum has values"})
	}
	if !ok {
		return nil
	}
	return &n
}

func runAccount(r *Recording, a *arguments) starlark.Value {
	acc := plan.Account{Name: get[string](a, "name"), Group: get[string](a, "group"), Groups: get[[]string](a, "groups"), Home: get[expr.Expr](a, "home"), Existing: get[bool](a, "existing")}
	if acc.Group == "" && !acc.Existing {
		acc.Group = acc.Name
		a.call.groupIsName = true
	}
	h := &Handle{in: r, word: "account", call: a.call, name: acc.Name}
	for _, other := range r.Accounts {
		if other.Name == acc.Name && other.Group == acc.Group && other.Existing == acc.Existing && slices.Equal(other.Groups, acc.Groups) && notation(other.Home) == notation(acc.Home) {
			return h // named again, as one for each service is
		}
	}
	r.Accounts = append(r.Accounts, acc)
	r.accounts = append(r.accounts, a.call)
	return h
}

func runPackage(r *Recording, a *arguments) starlark.Value {
	if r.Package != nil {
		r.report(a.call, callee(), diag.Diagnostic{Code: plan.CodeDuplicate, Message: "a recipe makes one package, and there is one already",
			Found: fmt.Sprintf("package %q", r.Package.Name), Hint: "give the second package a recipe of its own"},
			Other{r.pkg.self, callee(), "the first one"})
		return starlark.None
	}
	p := &plan.Package{
		Name: get[string](a, "name"), Version: get[string](a, "version"), Release: int(clampInt(get[int64](a, "release"))), License: get[string](a, "license"),
		Maintainer: get[string](a, "maintainer"), Summary: get[string](a, "summary"), Description: get[string](a, "description"),
		Homepage: get[string](a, "homepage"), Style: get[string](a, "style"), Runtime: get[string](a, "runtime"), Depends: get[[]string](a, "depends"),
	}
	calls := &packageCalls{self: a.call}
	for _, h := range get[[]*Handle](a, "build") {
		run, call := orPlaceholder(h, made[plan.Run])
		p.Build, calls.build = append(p.Build, run), append(calls.build, call)
	}
	for _, h := range get[[]*Handle](a, "contents") {
		content, call := orPlaceholder(h, r.contentOf)
		p.Contents, calls.contents = append(p.Contents, content), append(calls.contents, call)
	}
	r.Package, r.pkg = p, calls
	return starlark.None
}

func runService(r *Recording, a *arguments) starlark.Value {
	s := plan.Service{
		Name: get[string](a, "name"), User: get[string](a, "user"), Command: get[[]expr.Expr](a, "command"), Env: get[[]plan.Variable](a, "env"),
		WorkDir: get[expr.Expr](a, "workdir"), Umask: optional[plan.Mode](a, "umask"),
		Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs(), After: get[[]string](a, "after"),
	}
	calls := serviceCalls{self: a.call}
	for _, v := range s.Env {
		calls.env = append(calls.env, v.Name)
	}
	s.Prepare, calls.prepare = prepareSteps(a)
	for _, h := range get[[]*Handle](a, "listen") {
		socket, call := orPlaceholder(h, made[plan.Socket])
		s.Listen, calls.listen = append(s.Listen, socket), append(calls.listen, call)
	}
	for _, h := range get[[]*Handle](a, "probes") {
		probe, call := orPlaceholder(h, made[plan.Probe])
		s.Probes, calls.probes = append(s.Probes, probe), append(calls.probes, call)
	}
	calls.restart = settings(a, "restart", &s.Restart)
	calls.stop = settings(a, "stop", &s.Stop)
	calls.limits = settings(a, "limits", &s.Limits)
	calls.logs = settings(a, "logs", &s.Logs)
	r.Services = append(r.Services, s)
	r.services = append(r.services, calls)
	return &Handle{in: r, word: "service", call: a.call, name: s.Name}
}

// prepareSteps takes the steps of a service or task, with the calls that made them.
func prepareSteps(a *arguments) (steps []plan.Step, calls []*Call) {
	for _, h := range get[[]*Handle](a, "prepare") {
		step, call := orPlaceholder(h, stepOf)
		steps, calls = append(steps, step), append(calls, call)
	}
	return steps, calls
}

func runTask(r *Recording, a *arguments) starlark.Value {
	t := plan.Task{
		Name: get[string](a, "name"), User: get[string](a, "user"), Command: get[[]expr.Expr](a, "command"), Env: get[[]plan.Variable](a, "env"),
		WorkDir: get[expr.Expr](a, "workdir"), Umask: optional[plan.Mode](a, "umask"),
		Every: get[plan.Duration](a, "every"), Jitter: get[plan.Duration](a, "jitter"), Timeout: get[plan.Duration](a, "timeout"),
		Logs: plan.DefaultLogs(), After: get[[]string](a, "after"),
	}
	calls := serviceCalls{self: a.call}
	for _, v := range t.Env {
		calls.env = append(calls.env, v.Name)
	}
	t.Prepare, calls.prepare = prepareSteps(a)
	if a.given("every") != nil && t.Every == 0 && !a.call.Spoilt(Whole("every")) {
		r.report(a.call, Whole("every"), diag.Diagnostic{Code: plan.CodeRange, Message: "a task cannot be run all the time", Found: show(a.given("every")),
			Accepted: "1s to 7d", Hint: "leave every out for a task that runs once; what is to run all the time is a service"})
	}
	if a.given("restart") != nil || a.given("every") == nil {
		retry := plan.DefaultRetry()
		calls.restart = settings(a, "restart", &retry)
		t.Restart = &retry
	}
	calls.limits = settings(a, "limits", &t.Limits)
	calls.logs = settings(a, "logs", &t.Logs)
	r.Tasks = append(r.Tasks, t)
	r.tasks = append(r.tasks, calls)
	return &Handle{in: r, word: "task", call: a.call, name: t.Name}
}

// settings takes what restart(), stop(), limits() or logs() made, and leaves the default where there is none.
func settings[T any](a *arguments, name string, into *T) *Call {
	h := get[*Handle](a, name)
	if h == nil {
		return nil
	}
	*into = h.made.(T)
	return h.call
}

// orPlaceholder takes what a handle means; a nil one, of an item that was at fault, gives the zero value and no call.
func orPlaceholder[T any](h *Handle, means func(*Handle) T) (T, *Call) {
	if h == nil {
		var placeholder T
		return placeholder, nil
	}
	return means(h), h.call
}

// made is what a handle holds.
func made[T any](h *Handle) T { return h.made.(T) }

// clampInt keeps a number that validation will refuse in the range of plan's own type.
func clampInt(n int64) int64 { return min(max(n, -1<<31), 1<<31-1) }
