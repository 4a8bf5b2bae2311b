package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"recipe/runtime/expr"
)

// HookPhase is when a hook is run.
type HookPhase string

// The phases. An upgrade is one also where it brings an older version, or the same once more.
const (
	BeforeInstall HookPhase = "before_install"
	AfterInstall  HookPhase = "after_install"
	BeforeUpgrade HookPhase = "before_upgrade"
	AfterUpgrade  HookPhase = "after_upgrade"
	BeforeRemove  HookPhase = "before_remove"
	AfterRemove   HookPhase = "after_remove"
)

// HookPhases lists the phases in the order of a package's life.
func HookPhases() []HookPhase {
	return []HookPhase{BeforeInstall, AfterInstall, BeforeUpgrade, AfterUpgrade, BeforeRemove, AfterRemove}
}

// Hook is what a package manager's phase does besides: Steps, or those that Script returns when it is called. Run steps are
// root's, or User's. With Strict a hook that fails fails the phase as well.
type Hook struct {
	Phase  HookPhase `json:"phase"`
	User   string    `json:"user,omitempty"`
	Strict bool      `json:"strict,omitempty"`
	Steps  []Step    `json:"steps,omitempty"`
	Script *Script   `json:"script,omitempty"`
}

// Upgrade is what a hook's function is told. A version is a whole one, or "" where there is none.
type Upgrade struct {
	Phase                  HookPhase
	OldVersion, NewVersion string
	Package                string
}

// CallsFunctions reports whether a hook is a function, which recipe itself has to be there for.
func (p *Plan) CallsFunctions() bool {
	return slices.ContainsFunc(p.Hooks, func(h Hook) bool { return h.Script != nil })
}

// Returned is the hook with the steps that its function returned. The error names the first step that is not sound by its
// index, or -1; a step may hold no flag, whose value the function had already.
func (h *Hook) Returned(p *Plan, steps []Step) (returned *Hook, faulty int, err error) {
	returned = &Hook{Phase: h.Phase, User: h.User, Strict: h.Strict, Steps: steps}
	c := &checker{plan: p}
	for i := range steps {
		c.returned(h.Phase, &steps[i])
		if len(c.problems) > 0 {
			return nil, i, c.problems[0]
		}
		if one := (&Hook{Steps: steps[i : i+1]}); len(one.Flags(p)) > 0 {
			return nil, i, errors.New("the step reads a flag")
		}
	}
	if returned.Bound() > h.Bound() {
		return nil, -1, fmt.Errorf("its steps may take %s, and all of them have %s: give them shorter timeouts", returned.Bound(), h.Bound())
	}
	return returned, -1, nil
}

// Hook returns the hook of that phase, or nil.
func (p *Plan) Hook(phase HookPhase) *Hook {
	for i := range p.Hooks {
		if p.Hooks[i].Phase == phase {
			return &p.Hooks[i]
		}
	}
	return nil
}

// Launched is the hook as launchers know it: something that is prepared and never started.
func (h *Hook) Launched(p *Plan) *Service {
	return &Service{Name: p.Name + "-" + strings.ReplaceAll(string(h.Phase), "_", "-"), User: h.User, Prepare: h.Steps}
}

// functionBound is what the steps may take that a function returns: it is known before they are.
const functionBound = Duration(60 * minute)

// otherSteps is what a hook may take beyond the timeouts of its steps.
const otherSteps = Duration(minute)

// Bound is when a hook is killed whatever it does: after the timeouts of all its steps, and a minute for those that have
// none. One by a function has an hour.
func (h *Hook) Bound() Duration {
	if h.Script != nil {
		return functionBound
	}
	total := otherSteps
	for i := range h.Steps {
		switch s := &h.Steps[i]; {
		case s.Run != nil:
			total += s.Run.Timeout
		case s.WaitFor != nil:
			total += s.WaitFor.Timeout
		}
	}
	return total
}

// Flags are the names of those that the steps or the function read, directly or through another flag's default.
func (h *Hook) Flags(p *Plan) (names []string) {
	seen := map[string]bool{}
	for i := range h.Steps {
		once, again := h.Steps[i].reads()
		for _, e := range append(once, again...) {
			p.eachFlag(e, seen, func(name string) { names = append(names, name) })
		}
	}
	if h.Script != nil {
		h.Script.each(func(e *expr.Expr) { p.eachFlag(*e, seen, func(name string) { names = append(names, name) }) })
	}
	return names
}

func (c *checker) hooks() {
	seen := map[string]string{}
	for i := range c.plan.Hooks {
		h := &c.plan.Hooks[i]
		at := fmt.Sprintf("hooks[%d]", i)
		if first, again := seen[string(h.Phase)]; again {
			c.report(Problem{Path: at + ".phase", Code: CodeDuplicate, Message: fmt.Sprintf("the phase %s has its steps already", h.Phase),
				Hint: "make one list of them", Related: []Place{{first, "the first ones"}}})
		}
		seen[string(h.Phase)] = at + ".phase"
		c.hook(at, h)
	}
}

func (c *checker) hook(at string, h *Hook) {
	phases := []string{}
	for _, phase := range HookPhases() {
		phases = append(phases, string(phase))
	}
	c.choice(at+".phase", "phase of a hook", string(h.Phase), phases...)
	if c.plan.Package == nil {
		c.report(Problem{Path: at + ".phase", Code: CodeMissing, Message: "a package manager runs hooks, and the recipe declares no package",
			Hint: "add package(...), or make the steps those of a service or task"})
	}
	if h.User != "" && c.plan.Account(h.User) == nil {
		c.report(Problem{Path: at + ".user", Code: CodeUndeclared, Message: fmt.Sprintf("the account %q is not declared", h.User), Hint: fmt.Sprintf("user = account(%q)", h.User)})
	}
	if h.Phase == BeforeInstall && c.made(h.User) {
		c.report(Problem{Path: at + ".user", Code: CodeOrder, Message: "the package makes its accounts after before_install", Found: fmt.Sprintf("%q", h.User),
			Hint: "give before_install a hooks(...) of its own, without user, or take after_install"})
	}
	if h.Script != nil {
		c.functionHook(at, h)
		return
	}
	if len(h.Steps) == 0 {
		c.report(Problem{Path: at + ".steps", Code: CodeMissing, Message: "a hook without steps does nothing", Hint: "leave it out"})
	}
	for j := range h.Steps {
		c.step(fmt.Sprintf("%s.steps[%d]", at, j), &h.Steps[j])
		c.present(fmt.Sprintf("%s.steps[%d]", at, j), h.Phase, &h.Steps[j])
	}
}

// functionHook refuses a function where nothing is sure to be there that could call it.
func (c *checker) functionHook(at string, h *Hook) {
	if len(h.Steps) > 0 {
		c.report(Problem{Path: at + ".steps", Code: CodeKind, Message: "a hook is steps or a function, and not both"})
	}
	c.scriptText(at+".script", h.Script)
	late := map[HookPhase][2]string{
		BeforeInstall: {"what a package depends on need not be there", "after_install"},
		BeforeUpgrade: {"what the new version depends on need not be there, nor its files", "after_upgrade"},
		AfterRemove:   {"the package's files are gone, and its plan with them", "before_remove"},
	}
	why, unsure := late[h.Phase]
	switch {
	case c.plan.Package == nil: // reported
	case c.plan.Package.Runtime == RuntimeStandalone:
		c.report(Problem{Path: at + ".script", Code: CodePortable, Message: "the hook is a function, and the maintainer scripts of a standalone package are plain sh, which cannot call it",
			Hint: `package(runtime = "recipe") has recipe itself call it, and depends on it; or write the steps out: [run(["/usr/bin/foo", "--reindex"])]`})
	case unsure:
		c.report(Problem{Path: at + ".script", Code: CodeOrder, Message: fmt.Sprintf("%s cannot be a function, which recipe calls with the package's plan: %s", h.Phase, why[0]),
			Hint: why[1] + " can be one; or write the steps out"})
	}
}

// returned holds a step that a function returned to what a step of the recipe is held to.
func (c *checker) returned(phase HookPhase, s *Step) {
	c.step("step", s)
	c.present("step", phase, s)
}

// present refuses a step that needs what the package brings, in a phase that comes before it is brought or after it is gone.
func (c *checker) present(at string, phase HookPhase, s *Step) {
	if c.plan.Package == nil || phase != BeforeInstall && phase != AfterRemove {
		return
	}
	needs := func(field string, e expr.Expr) {
		if e.Op == expr.OpPath && c.packaged(e.Text, phase) {
			c.report(Problem{Path: at + field, Code: CodeOrder, Message: fmt.Sprintf("in %s no file of the package is there", phase), Found: e.Text,
				Hint: map[HookPhase]string{BeforeInstall: "after_install has them", AfterRemove: "before_remove has them"}[phase]})
		}
	}
	owners := func(field string, names ...string) {
		for _, name := range names {
			if phase == BeforeInstall && c.made(name) {
				c.report(Problem{Path: at + field, Code: CodeOrder, Message: "the package makes its accounts after before_install", Found: fmt.Sprintf("%q", name), Hint: "after_install has them"})
				return
			}
		}
	}
	switch {
	case s.Run != nil && len(s.Run.Command) > 0:
		needs(".run.command[0]", s.Run.Command[0])
	case s.Copy != nil:
		needs(".copy.source", s.Copy.Source)
		owners(".copy.owner", s.Copy.Owner, s.Copy.Group)
	case s.RequireFile != nil:
		needs(".require_file.path", s.RequireFile.Path)
	case s.Directory != nil:
		owners(".directory.owner", s.Directory.Owner, s.Directory.Group)
	case s.Template != nil:
		owners(".template.owner", s.Template.Owner, s.Template.Group)
	}
}

// made reports whether the package makes the account, rather than finding it on the host.
func (c *checker) made(name string) bool {
	account := c.plan.Account(name)
	return account != nil && !account.Existing
}

// packaged tells what the package's own contents have. Configuration stays when a package is removed.
func (c *checker) packaged(path string, phase HookPhase) bool {
	for _, content := range c.plan.Package.Contents {
		if content.Kind == ContentConfig && phase == AfterRemove {
			continue
		}
		if path == content.Path || content.Kind == ContentTree && strings.HasPrefix(path, content.Path+"/") {
			return true
		}
	}
	return false
}
