package lint

import (
	"fmt"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

var (
	secretName   = pattern(`(?i)(^|[-_])(password|passwd|passphrase|secret|token|api-?key|access-?key|private-?key|credentials?)($|[-_=])`)
	notASecret   = pattern(`(?i)[-_](file|path|dir|url|length|bytes|size|ttl|timeout|policy|min|max|count|hash|algorithm)(=|$)`)
	secretOption = pattern(`^--?([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)$`)
	userinfo     = pattern(`[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@{}]+@`)
)

// holdsSecret reports whether a thing of that name holds one, rather than saying where one lies.
func holdsSecret(name string) bool {
	return secretName().MatchString(name) && !notASecret().MatchString(name)
}

// secretDefault finds a secret that the recipe itself gives away.
func (l *linter) secretDefault(i int, f *plan.Flag) {
	if holdsSecret(f.Name) && constant(f.Default) != "" {
		l.find(plan.Problem{Path: fmt.Sprintf("flags[%d].default", i), Code: CodeSecretFixed, Message: fmt.Sprintf("the default of %q is in the recipe, its plan and its package, for all to read", f.Name),
			Hint: `write secret = True, without a default: the host's own file brings it`})
	}
}

// shown finds a secret that a text spells out in an argument, which every user of the host can read in the process list.
func (l *linter) shown(t text) {
	if !t.argument || !t.whole {
		return
	}
	if !strings.ContainsAny(t.value, "=:") {
		return
	}
	m := secretOption().FindStringSubmatch(t.value)
	if m != nil && holdsSecret(m[1]) || strings.Contains(t.value, "://") && userinfo().MatchString(t.value) {
		l.find(plan.Problem{Path: t.path, Code: CodeSecretFixed, Message: "this argument holds a secret: the recipe, its plan and every process list show it",
			Hint: "take it from a flag with secret = True, by a template that the daemon reads"})
	}
}

// secretArguments finds flags that hold a secret by their name and reach a command. One with secret = True reaches none.
func (l *linter) secretArguments(s part) {
	l.secretCommand(s.at+".command", s.Command)
	for i, step := range s.Prepare {
		if step.Run != nil {
			l.secretCommand(s.step(i)+".run.command", step.Run.Command)
		}
	}
	for i := range s.Probes {
		if e := s.Probes[i].Exec; e != nil {
			l.secretCommand(fmt.Sprintf("%s.probes[%d].exec.command", s.at, i), e.Command)
		}
	}
}

func (l *linter) secretCommand(at string, command []expr.Expr) {
	for i, a := range command {
		a.Walk(func(n expr.Expr) {
			if n.Op == expr.OpFlag && holdsSecret(n.Text) {
				l.find(plan.Problem{Path: fmt.Sprintf("%s[%d]", at, i), Code: CodeSecretShown, Found: "flag " + strings.TrimSpace(quoted(n.Text)),
					Message: "every user of the host reads the arguments of a process", Hint: "give it in a template that only the account reads, and declare the flag with secret = True"})
			}
		})
	}
}
