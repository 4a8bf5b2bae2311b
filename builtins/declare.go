package builtins

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

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
		WorkDir: get[expr.Expr](a, "workdir"), Umask: optional[plan.Mode](a, "umask"), Terminal: get[bool](a, "terminal"),
		Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs(), After: get[[]string](a, "after"),
	}
	calls := serviceCalls{self: a.call}
	for _, v := range s.Env {
		calls.env = append(calls.env, v.Name)
	}
	s.Prepare, calls.prepare = stepList(a, "prepare")
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

// stepList takes the steps of an argument, with the calls that made them.
func stepList(a *arguments, name string) (steps []plan.Step, calls []*Call) {
	for _, h := range get[[]*Handle](a, name) {
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
	t.Prepare, calls.prepare = stepList(a, "prepare")
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
