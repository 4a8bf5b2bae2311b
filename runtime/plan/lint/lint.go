// Package lint finds in a valid plan what is allowed and has kept people awake: each lint has a reason from operations,
// which `recipe explain CODE` gives.
//
// Rules:
//   - A lint is a function from a plan to findings, one file a topic. None decides anything: findings are warnings.
//   - A finding names the field at fault by its path, as plan.Validate does, and says what to do instead.
//   - Where exactly one change is right, the finding brings it as a Mend. Where two might be, it does not.
//   - What cannot be known is not said: a lint that cries wolf is switched off with all the others.
//
// Tests: a table of plans that earn each finding, and of near ones that do not.
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// The codes of findings.
const (
	CodeNoProbe      = "no-probe"
	CodeConnectOnly  = "connect-only"
	CodeTimeout      = "timeout-not-below-interval"
	CodeAsksOthers   = "probe-asks-others"
	CodeInsecure     = "insecure-tls"
	CodePidfile      = "pidfile"
	CodeDaemonizes   = "daemonizes-in-file"
	CodeDestructive  = "destructive-step"
	CodeSpeltPath    = "spelt-path"
	CodeUndocumented = "undocumented-flag"
	CodeUnused       = "unused-flag"
	CodeRoot         = "runs-as-root"
	CodeSecretFixed  = "secret-in-recipe"
	CodeSecretShown  = "secret-in-arguments"
	CodeUnpinned     = "unpinned-build"
	CodeShell        = "shell-words"
)

// Finding is one thing to warn of. Mend is nil unless one change alone is right.
type Finding struct {
	plan.Problem
	Mend *Mend
}

// Mend changes the text at the finding's path. Drop takes it out of its list. Otherwise it becomes the declared path
// Handle between two texts, either of which may be empty.
type Mend struct {
	Drop                  bool
	Before, Handle, After string
}

// Plan gives the findings of a plan that Validate accepts, in the order of the plan's fields.
func Plan(p *plan.Plan) []Finding {
	l := &linter{plan: p, texts: texts(p)}
	l.flags()
	l.build()
	for _, s := range started(p) {
		l.account(s)
		l.destructive(s)
		l.secretArguments(s)
		l.probes(s)
	}
	l.words()
	l.shell()
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return cmp.Compare(rank(a.Path), rank(b.Path)) })
	return l.findings
}

// part is a service, a task or a hook as launchers know it, and the path of its field.
type part struct {
	*plan.Service
	at   string
	kind string // service, task or hook
}

// started are the parts of a plan that start something.
func started(p *plan.Plan) (all []part) {
	for i := range p.Services {
		all = append(all, part{&p.Services[i], fmt.Sprintf("services[%d]", i), "service"})
	}
	for i := range p.Tasks {
		all = append(all, part{p.Tasks[i].Launched(), fmt.Sprintf("tasks[%d]", i), "task"})
	}
	for i := range p.Hooks {
		all = append(all, part{p.Hooks[i].Launched(p), fmt.Sprintf("hooks[%d]", i), "hook"})
	}
	return all
}

// step is the path of a step.
func (s part) step(i int) string {
	if s.kind == "hook" {
		return fmt.Sprintf("%s.steps[%d]", s.at, i)
	}
	return fmt.Sprintf("%s.prepare[%d]", s.at, i)
}

// linter gathers the findings of one plan.
type linter struct {
	plan     *plan.Plan
	texts    []text
	findings []Finding
}

func (l *linter) find(p plan.Problem) { l.findings = append(l.findings, Finding{Problem: p}) }

func (l *linter) mend(p plan.Problem, m Mend) {
	l.findings = append(l.findings, Finding{Problem: p, Mend: &m})
}

// rank orders the parts of a plan.
func rank(path string) int {
	for i, part := range []string{"flags", "accounts", "package", "services", "tasks", "hooks"} {
		if strings.HasPrefix(path, part) {
			return i
		}
	}
	return 99
}

// constant gives the text of an expression that is one, or "".
func constant(e expr.Expr) string {
	if e.Op == expr.OpText || e.Op == expr.OpPath {
		return e.Text
	}
	return ""
}

// words gives the constant texts of a command; what depends on the host is "".
func words(command []expr.Expr) []string {
	list := make([]string, len(command))
	for i, a := range command {
		list[i] = constant(a)
	}
	return list
}
