package lint

import (
	"fmt"

	"recipe/runtime/plan"
)

// flags finds those that operators cannot understand, and those that do nothing.
func (l *linter) flags() {
	used := l.used()
	for i := range l.plan.Flags {
		f := &l.plan.Flags[i]
		at := fmt.Sprintf("flags[%d]", i)
		if f.Help == "" {
			l.find(plan.Problem{Path: at, Code: CodeUndocumented, Message: fmt.Sprintf("nobody is told what the flag %q does", f.Name), Hint: `help = "..."`})
		}
		if !used[f.Name] {
			l.find(plan.Problem{Path: at, Code: CodeUnused, Message: fmt.Sprintf("nothing reads the flag %q: whoever sets it changes nothing", f.Name),
				Hint: "use its value in a command, an environment, a template, a socket or a probe, or leave it out"})
		}
		l.secretDefault(i, f)
	}
}

// used are the flags that a service or a task reads, itself or by way of another's default.
func (l *linter) used() map[string]bool {
	used := map[string]bool{}
	for _, s := range l.plan.Launches() {
		for name := range s.Uses(l.plan) {
			used[name] = true
		}
	}
	for i := range l.plan.Hooks {
		for _, name := range l.plan.Hooks[i].Flags(l.plan) {
			used[name] = true
		}
	}
	return used
}
