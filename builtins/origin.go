package builtins

import (
	"regexp"
	"strconv"
	"strings"
)

// Origin finds what gave a field of the plan, by the field's path as plan.Validate writes it: the call, and the part of
// it. A nil call means that no single call did.
func (r *Recording) Origin(path string) (*Call, Part) {
	steps := parsePath(path)
	if len(steps) == 0 {
		return nil, Part{}
	}
	first, rest := steps[0], steps[1:]
	switch {
	case first.name == "name":
		return r.nameOrigin()
	case first.name == "flags" && first.index < len(r.flags):
		return r.flags[first.index], partOf(rest)
	case first.name == "accounts" && first.index < len(r.accounts):
		c, part := r.accounts[first.index], partOf(rest)
		if part.Parameter == "group" && c.groupIsName {
			part.Parameter = "name"
		}
		return c, part
	case first.name == "package" && r.pkg != nil:
		return r.pkg.origin(rest)
	case first.name == "services" && first.index < len(r.services):
		return r.services[first.index].origin(rest)
	case first.name == "tasks" && first.index < len(r.tasks):
		return r.tasks[first.index].origin(rest)
	case first.name == "hooks" && first.index < len(r.hooks):
		return r.hooks[first.index].origin(rest)
	}
	return nil, Part{}
}

// nameOrigin is what the plan's own name came from.
func (r *Recording) nameOrigin() (*Call, Part) {
	switch {
	case r.pkg != nil:
		return r.pkg.self, Whole("name")
	case len(r.services) == 1:
		return r.services[0].self, Whole("name")
	case len(r.services) == 0 && len(r.tasks) == 1:
		return r.tasks[0].self, Whole("name")
	}
	return nil, Part{}
}

func (p *packageCalls) origin(rest []pathStep) (*Call, Part) {
	if len(rest) > 1 {
		switch {
		case rest[0].name == "build" && rest[0].index < len(p.build):
			return within(p.build[rest[0].index], p.self, rest)
		case rest[0].name == "contents" && rest[0].index < len(p.contents):
			return within(p.contents[rest[0].index], p.self, rest)
		}
	}
	return p.self, partOf(rest)
}

func (s *serviceCalls) origin(rest []pathStep) (*Call, Part) {
	if len(rest) < 2 {
		return s.self, partOf(rest)
	}
	inner := map[string]*Call{"restart": s.restart, "stop": s.stop, "limits": s.limits, "logs": s.logs}
	switch first := rest[0]; {
	case first.name == "env" && first.index < len(s.env):
		part := Whole("env")
		part.Key = s.env[first.index]
		part.Keyword = rest[1].name == "name"
		return s.self, part
	case first.name == "prepare" && first.index < len(s.prepare):
		return within(s.prepare[first.index], s.self, rest)
	case first.name == "listen" && first.index < len(s.listen):
		return within(s.listen[first.index], s.self, rest)
	case first.name == "probes" && first.index < len(s.probes):
		return within(s.probes[first.index], s.self, rest)
	case inner[first.name] != nil:
		return inner[first.name], partOf(rest[1:])
	}
	return s.self, partOf(rest[:1])
}

// origin knows that a phase is a parameter, whose list the steps are.
func (h *hookCalls) origin(rest []pathStep) (*Call, Part) {
	switch {
	case len(rest) > 1 && rest[0].name == "steps" && rest[0].index < len(h.steps):
		return within(h.steps[rest[0].index], h.self, append([]pathStep{{h.phase, rest[0].index}}, rest[1:]...))
	case len(rest) > 0 && (rest[0].name == "steps" || rest[0].name == "phase" || rest[0].name == "script"):
		return h.self, Whole(h.phase)
	}
	return h.self, partOf(rest)
}

// within is the origin in the call that made an item of a list; without one, it is the item in the owner's call.
func within(item, owner *Call, rest []pathStep) (*Call, Part) {
	if item == nil {
		return owner, partOf(rest[:1])
	}
	return item, partOf(rest[1:])
}

// partOf turns the rest of a path into a part: the kind of a step or probe in front is left out.
func partOf(rest []pathStep) Part {
	for len(rest) > 1 && rest[0].index < 0 {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return callee()
	}
	part := Whole(rest[0].name)
	part.Element = rest[0].index
	if renamed, ok := renames[part.Parameter]; ok {
		part.Parameter = renamed
	}
	return part
}

// renames are the fields whose parameter has another name.
var renames = map[string]string{"jitter_permille": "jitter", "kind": "path", "cpu_percent": "cpu"}

// pathStep is one element of a field's path; index is -1 without one.
type pathStep struct {
	name  string
	index int
}

var stepForm = regexp.MustCompile(`^([a-z_0-9]+)(?:\[([0-9]+)\])?$`)

func parsePath(path string) []pathStep {
	var steps []pathStep
	for _, element := range strings.Split(path, ".") {
		m := stepForm.FindStringSubmatch(element)
		if m == nil {
			return nil
		}
		step := pathStep{name: m[1], index: -1}
		if m[2] != "" {
			step.index, _ = strconv.Atoi(m[2])
		}
		steps = append(steps, step)
	}
	return steps
}
