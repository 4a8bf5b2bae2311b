package plan

import (
	"fmt"
	"slices"
	"strings"

	"recipe/runtime/expr"
)

// Bounds that keep a slip of the pen from stopping a service for good: a day for any wait, a year for nothing.
const (
	longest = 24 * 3_600_000 // ms
	largest = 1 << 50        // bytes
)

func (c *checker) services() {
	seen := map[string]string{}
	for i := range c.plan.Services {
		s := &c.plan.Services[i]
		at := fmt.Sprintf("services[%d]", i)
		c.name(at+".name", s.Name)
		c.unique(at+".name", "service", s.Name, seen)
		c.service(at, s)
	}
	c.order()
}

func (c *checker) service(at string, s *Service) {
	c.launched(at, s)
	c.terminal(at, s)
	c.forward(at, s)
	c.sockets(at, s)
	for j := range s.Probes {
		c.probe(fmt.Sprintf("%s.probes[%d]", at, j), &s.Probes[j])
	}
	c.notifies(at, s)
	c.delays(at+".restart", s.Restart)
	c.choice(at+".stop.signal", "signal", s.Stop.Signal, Signals()...)
	c.between(at+".stop.grace", int64(s.Stop.Grace), 0, longest, showDuration)
	c.signalled(at, s)
}

// launched judges what services and tasks have alike.
func (c *checker) launched(at string, s *Service) {
	if s.User != "" && c.plan.Account(s.User) == nil {
		c.report(Problem{Path: at + ".user", Code: CodeUndeclared, Message: fmt.Sprintf("the account %q is not declared", s.User), Hint: fmt.Sprintf("user = account(%q)", s.User)})
	}
	c.command(at+".command", s.Command)
	c.daemonizes(at+".command", s.Command)
	names := map[string]string{}
	for j, v := range s.Env {
		c.form(fmt.Sprintf("%s.env[%d].name", at, j), v.Name, variableForm, "letters, digits and '_', no digit first")
		c.unique(fmt.Sprintf("%s.env[%d].name", at, j), "variable", v.Name, names)
		c.expression(fmt.Sprintf("%s.env[%d].value", at, j), v.Value, anyKind()...)
	}
	if !s.WorkDir.IsZero() {
		c.expression(at+".workdir", s.WorkDir, expr.Path)
	}
	if s.Umask != nil && *s.Umask > 0o777 {
		c.report(Problem{Path: at + ".umask", Code: CodeRange, Message: "this is no umask", Found: s.Umask.String(), Accepted: "0o000 to 0o777"})
	}
	for j := range s.Prepare {
		c.step(fmt.Sprintf("%s.prepare[%d]", at, j), &s.Prepare[j])
	}
	c.logs(at+".logs", s.Logs)
	c.limits(at+".limits", s.Limits)
}

func (c *checker) delays(at string, r Restart) {
	c.between(at+".delay", int64(r.Delay), 0, longest, showDuration)
	c.between(at+".cap", int64(r.Cap), 0, longest, showDuration)
	if r.Cap < r.Delay {
		c.report(Problem{Path: at + ".cap", Code: CodeRange, Message: "the delays have a cap below the first of them",
			Found: fmt.Sprintf("delay %s and cap %s", r.Delay, r.Cap), Hint: fmt.Sprintf("cap = %q, or more", r.Delay.String()),
			Related: []Place{{at + ".delay", "the first delay"}}})
	}
	c.between(at+".jitter_permille", int64(r.JitterPermille), 0, 1000, showInt)
	c.between(at+".stable_after", int64(r.StableAfter), 0, longest, showDuration)
}

func (c *checker) command(at string, command []expr.Expr) {
	if len(command) == 0 {
		c.report(Problem{Path: at, Code: CodeMissing, Message: "the command is empty", Accepted: "a program and its arguments"})
		return
	}
	for i, a := range command {
		kinds := anyKind()
		if i > 0 {
			kinds = append(kinds, expr.List)
		}
		c.expression(fmt.Sprintf("%s[%d]", at, i), a, kinds...)
	}
	if first := command[0]; first.Op == expr.OpText && !strings.HasPrefix(first.Text, "/") && !strings.HasPrefix(at, "package.build") {
		c.report(Problem{Path: at + "[0]", Code: CodePath, Message: "the program is not an absolute path", Found: fmt.Sprintf("%q", first.Text),
			Hint: "name the handle of a declared file, or spell the whole path: no search path is consulted"})
	}
}

// daemonizes refuses arguments that make a daemon leave its parent. A following "no" is the daemon's own way to say no.
func (c *checker) daemonizes(at string, command []expr.Expr) {
	for i, a := range command {
		if i == 0 || a.Op != expr.OpText {
			continue
		}
		option, value, hasValue := strings.Cut(a.Text, "=")
		if !hasValue && i+1 < len(command) && command[i+1].Op == expr.OpText {
			value = command[i+1].Text
		}
		switch strings.TrimLeft(option, "-") {
		case "daemon", "daemonize", "daemonise", "detach", "fork":
		default:
			continue
		}
		if !strings.HasPrefix(option, "-") || value == "no" || value == "false" || value == "off" || value == "0" {
			continue
		}
		c.report(Problem{Path: fmt.Sprintf("%s[%d]", at, i), Code: CodeDaemonizes, Found: fmt.Sprintf("%q", a.Text),
			Message: "the daemon is told to fork away from its supervisor",
			Hint:    "run it in the foreground: leave the argument out, or give the daemon's own word for it (--foreground, --daemonize no)"})
	}
}

func (c *checker) run(at string, r *Run) {
	c.command(at+".command", r.Command)
	c.between(at+".timeout", int64(r.Timeout), 1, longest, showDuration)
}

// signalled refuses flags whose change asks for a signal that the daemon can do nothing with.
func (c *checker) signalled(at string, s *Service) {
	uses := s.Uses(c.plan)
	for i, f := range c.plan.Flags {
		if use := uses[f.Name]; f.Apply.Action == ApplySignal && use.Launch && !use.Template {
			c.report(Problem{Path: fmt.Sprintf("flags[%d].apply", i), Code: CodeApply,
				Message: fmt.Sprintf("a change of flag %q asks for a signal, but it reaches service %q only in its arguments or environment, which a running process never reads again", f.Name, s.Name),
				Hint:    "show the flag in a template that the daemon reads on the signal, or leave apply out: the service is restarted then",
				Related: c.reached(at, s, f.Name)})
		}
	}
}

// reached are the arguments and variables of a service that show a flag.
func (c *checker) reached(at string, s *Service, flag string) []Place {
	var places []Place
	shows := func(path string, e expr.Expr, label string) {
		c.plan.eachFlag(e, map[string]bool{}, func(name string) {
			if name == flag {
				places = append(places, Place{path, label})
			}
		})
	}
	for i, a := range s.Command {
		shows(fmt.Sprintf("%s.command[%d]", at, i), a, "it is read here once, at the start")
	}
	for i, v := range s.Env {
		shows(fmt.Sprintf("%s.env[%d].value", at, i), v.Value, "it is read here once, at the start")
	}
	return places
}

// order refuses services that wait for one another in a circle, or for one that is not there.
func (c *checker) order() {
	o := ordering{checker: c, state: map[string]int{}, index: map[string]int{}}
	for i, s := range c.plan.Services {
		o.index[s.Name] = i
	}
	for i, s := range c.plan.Services {
		if o.state[s.Name] == 0 {
			o.visit(i)
		}
	}
}

// ordering is a walk over what services are after.
type ordering struct {
	*checker
	index map[string]int
	state map[string]int // 1 while what it is after is walked, 2 when done
	way   []wait         // that led to the service being visited
}

// wait is one service that is after another.
type wait struct {
	name, after string
	field       string
}

func (o *ordering) visit(i int) {
	s := o.plan.Services[i]
	o.state[s.Name] = 1
	for j, name := range s.After {
		at := fmt.Sprintf("services[%d].after[%d]", i, j)
		next, ok := o.index[name]
		o.way = append(o.way, wait{s.Name, name, at})
		switch {
		case !ok:
			names := make([]string, len(o.plan.Services))
			for k := range names {
				names[k] = o.plan.Services[k].Name
			}
			o.report(Problem{Path: at, Code: CodeUndeclared, Message: fmt.Sprintf("the service %q is not declared", name), Accepted: listed(slices.Compact(slices.Sorted(slices.Values(names)))), Hint: Nearest(name, names)})
		case o.state[name] == 1:
			o.circle(name)
		case o.state[name] == 0:
			o.visit(next)
		}
		o.way = o.way[:len(o.way)-1]
	}
	o.state[s.Name] = 2
}

// circle reports the way from a service back to itself, at its last step.
func (o *ordering) circle(name string) {
	first := len(o.way) - 1
	for first > 0 && o.way[first].name != name {
		first--
	}
	circle := o.way[first:]
	last := circle[len(circle)-1]
	p := Problem{Path: last.field, Code: CodeCycle, Message: fmt.Sprintf("services wait for each other in a circle: %q is after %q", last.name, last.after)}
	for _, w := range circle[:len(circle)-1] {
		p.Related = append(p.Related, Place{w.field, fmt.Sprintf("%q is after %q", w.name, w.after)})
	}
	o.report(p)
}

func urlHint(path string) string {
	if !strings.HasPrefix(path, "/") {
		return fmt.Sprintf("write %q", "/"+path)
	}
	return "write %20 for a space"
}
